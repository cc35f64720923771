"""All verbs by name. What one does is imported when it is called, so that the table costs nothing.

The code of a verb has `add_arguments(parser)`, `run(options)`, which gives the JSON report, and
`describe(report)`, which makes lines for people of it; it may have `status(report)`, with which the
program ends.
"""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

from quantlib.tasks.task import SUPER_RESOLUTION, TASKS, Task


class Verb(NamedTuple):
    """What a verb does in a sentence, what may follow its name, and what gives its code."""

    summary: str
    examples: tuple[str, ...]
    code: Callable[[], Any]


def _own(module: str) -> Callable[[], Any]:
    return partial(import_module, f"quantlib.cli.{module}")


def _shared(task: Task) -> Any:
    from quantlib.cli.recognition import RecognitionVerb

    return RecognitionVerb(task)


PICTURES = {
    "models": Verb(
        "List the networks that load by name.",
        ("", "--task classification --json"),
        _own("models"),
    ),
    "upscale": Verb(
        "Super-resolve a picture, or all of a folder, with quantized activations.",
        (
            "small.png large.png --model builtin:edsr-x2 --method dqa --bits 4",
            "SMALL LARGE --model builtin:quantsr-c-x2-w4a4 --json",
        ),
        _own("upscale"),
    ),
    SUPER_RESOLUTION.verb: Verb(
        SUPER_RESOLUTION.summary, SUPER_RESOLUTION.examples, _own("evaluate")
    ),
}
OTHERS = {
    "importance": Verb(
        "Rank the channels of every activation site by importance.",
        (
            "--model builtin:edsr-x2 --images HR --criterion gain",
            "--model builtin:edsr-x2 --images HR --bits 4 --json",
        ),
        _own("importance"),
    ),
    "train": Verb(
        "Train a network by a recipe, on a folder of photographs or of a data set.",
        (
            "assets/recipes/edsr-x2.toml --data bsds500/train --data t91 --out runs",
            "assets/recipes/resnet-digits.toml --data . --out runs --resume",
        ),
        _own("train"),
    ),
    "adapt": Verb(
        "Adapt a network to few bits from its own output on a handful of pictures, and save it.",
        (
            "--model builtin:edsr-x2 --images photos --bits 3 edsr-x2-w3a3.safetensors",
            "--model pan.pth --images photos --json pan-w4a4.safetensors",
        ),
        _own("adapt"),
    ),
    "export": Verb(
        "Write a network as an ONNX file of true integers, or as safetensors with packed codes.",
        (
            "--model builtin:quantsr-c-x2-w4a4 --to onnx quantsr.onnx",
            "--model builtin:edsr-x2 --method direct --bits 8 --to onnx --json edsr.onnx",
        ),
        _own("export"),
    ),
    "comparison": Verb(
        "Run every method of a comparison under the same conditions, and print the table.",
        (
            "assets/plans/comparison-x2.toml --data t91 --validate set5 HR LR "
            "--results results.json --out runs",
            "assets/plans/transformer-x2.toml --data t91 --validate set5 HR LR "
            "--results results.json --out runs --seed 0",
        ),
        _own("comparison"),
    ),
    "ablation": Verb(
        "Measure what every choice of DQA buys on every network, and print the tables.",
        (
            "assets/plans/ablation.toml --data DATA --results points.json",
            "assets/plans/ablation.toml --data DATA --results points.json --jobs 8 "
            "--summary summary.json",
        ),
        _own("ablation"),
    ),
    "codecs": Verb(
        "Compare lossless codecs on DQA's symbols, and time DQA's stages layer by layer.",
        (
            "--model builtin:edsr-x2 --sample cat --bits 3 --extra-bits 3",
            "--model builtin:edsr-x4 --sample photo.png --json",
        ),
        _own("codecs"),
    ),
    "bench": Verb(
        "Time quantization, coders and integers, and hold them against what is required (minutes).",
        ("", "--json"),
        _own("bench"),
    ),
    "app": Verb("Start the app in a browser.", ("", "--port 8600"), _own("app")),
}


def verbs() -> dict[str, Verb]:
    """Every verb; a task whose verb has no code of its own shares that of recognition."""
    shared = {
        task.verb: Verb(task.summary, task.examples, partial(_shared, task))
        for task in TASKS.values()
        if task.verb not in PICTURES
    }
    return {**PICTURES, **shared, **OTHERS}
