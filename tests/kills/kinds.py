"""All that is killed: the verbs that write, a download, and the ZIP of the Compare page.

Networks, plans and pictures are as small as they get: what is looked at is what is left.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.torch import save
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from quantlib.cli import main
from quantlib.qat.fused import uncompiled
from tests.cli.small_networks import write_learned, write_plain
from tests.hub_server import HubServer
from tests.kills import compare_zip
from tests.kills.running import Kind

VERBS = ("train", "comparison", "ablation", "export", "adapt", "upscale")
LATER = (
    *(f"quantlib.cli.{verb}" for verb in VERBS),
    *("quantlib.models.hub", "quantlib.runtime.onnx_export", "quantlib.runtime.onnx_running"),
    *("skimage.io", "skimage.data", "sklearn.datasets", "torchvision"),
)
"""What is imported in the middle of a run where it was not before."""
SAVED_EVERY = 8  # steps
PIECE = 1 << 14
LEFT_BY_THE_HUB = r"hub/models--[^/]+/(blobs/)?tmp.+"
"""What its library tries links and modes out on, which is swept once it is some seconds old."""
TRAINING = """
scale = 2
features = 4
blocks = 1
steps = 20
batch = 2
patch = 8
warmup = 1
method = "rlq"
"""
CLASSIFIER = """
task = "classification"
architecture = "ResNet"
data_set = "digits"
features = 2
steps = 20
batch = 4
warmup = 2
learning_rate = 0.01
"""
COMPARISON = f"""{TRAINING.replace('method = "rlq"', "")}
[compare]
methods = ["rlq", "lsq"]
bits = [2]
seeds = [1]
"""
ABLATION = """
criteria = ["random", "energy"]
bits = [3]
extra_bits = [3]
ratios = [0.4]
seeds = [0, 1]
uniform_bits = [4]
budgets = []

[[bench]]
name = "digits"
task = "classification"
model = "builtin:resnet-digits"
data = "digits"
pictures = 8
calibration = 8
"""


def prepare() -> None:
    """In the process that is forked: all imports; more checkpoints, and no compiler."""
    for module in (*LATER, *compare_zip.LATER):
        import_module(module)
    from quantlib.coding import compiled
    from quantlib.qat import fused
    from quantlib.training import loop
    from quantlib.training.comparison import runs
    from quantlib.training.recognition import run as recognition
    from quantlib.training.super_resolution import run as super_resolution

    compiled.warm()
    fused.WORTH_COMPILING = 1 << 62
    recognition.SAVE_EVERY = SAVED_EVERY
    runs.train = super_resolution.train = partial(loop.train, save_every=SAVED_EVERY)


@contextmanager
def kinds() -> Iterator[dict[str, Kind]]:
    """Every kind by its name, as long as the Hub is there that one of them downloads from."""
    verbs = {
        "training": _training,
        "training of a classifier": _classifier,
        "table": _comparison,
        "ablation": _ablation,
        "export to ONNX": partial(_export, form="onnx"),
        "export to safetensors": partial(_export, form="safetensors"),
        "adapting": _adapting,
        "pictures of a folder": _pictures,
    }
    with SlowHub() as hub:
        made = [
            *(Kind(name, main, given, {}) for name, given in verbs.items()),
            Kind(
                *("download", through_hub, partial(_download, hub=hub)),
                *({"HF_ENDPOINT": hub.url}, LEFT_BY_THE_HUB),
            ),
            Kind("ZIP", compare_zip.write, lambda folder: ["out.zip"], compare_zip.ENVIRONMENT),
        ]
        yield {kind.name: kind for kind in made}


def through_hub(words: Sequence[str]) -> int:
    """The Hub's library has read its variables before they were set, and takes larger pieces."""
    from huggingface_hub import constants

    constants.HF_HUB_CACHE = os.environ["HF_HUB_CACHE"]
    constants.HF_HUB_OFFLINE, constants.DOWNLOAD_CHUNK_SIZE = False, PIECE
    return main(words)


class SlowHub(HubServer):
    """Sends in pieces with pauses, so that there are moments between them."""

    async def _resolve(self, request: Request) -> Response:  # type: ignore[override]
        whole = super()._resolve(request)
        if request.method == "HEAD" or len(whole.body) <= PIECE:
            return whole
        data = bytes(whole.body)

        async def pieces() -> AsyncIterator[bytes]:
            for at in range(0, len(data), PIECE):
                yield data[at : at + PIECE]
                await asyncio.sleep(0.01)

        return StreamingResponse(pieces(), whole.status_code, dict(whole.headers))


def _training(folder: Path) -> Sequence[str]:
    recipe = _written(folder / "recipe.toml", TRAINING)
    return ["train", recipe, "--data", _photographs(folder), "--out", "out", "--resume"]


def _classifier(folder: Path) -> Sequence[str]:
    recipe = _written(folder / "recipe.toml", CLASSIFIER)
    return ["train", recipe, "--data", ".", "--out", "out", "--resume"]


def _comparison(folder: Path) -> Sequence[str]:
    plan = _written(folder / "plan.toml", COMPARISON)
    high, low = _photographs(folder), _photographs(folder, 2)
    places = ["--results", "results.json", "--out", "out"]
    return ["comparison", plan, "--data", high, *places, "--validate", "bench", high, low]


def _ablation(folder: Path) -> Sequence[str]:
    plan = _written(folder / "plan.toml", ABLATION)
    places = ["--results", "points.json", "--summary", "summary.json"]
    return ["ablation", plan, "--data", str(folder), *places]


def _export(folder: Path, form: str) -> Sequence[str]:
    with uncompiled():
        write_learned(folder / "net.safetensors")
    model = ["--model", str(folder / "net.safetensors")]
    return ["export", *model, "--to", form, f"out.{form}"]


def _adapting(folder: Path) -> Sequence[str]:
    write_plain(folder / "net.safetensors", features=4)
    given = ["--model", str(folder / "net.safetensors"), "--images", _photographs(folder)]
    return ["adapt", *given, "--steps", "2", "--crop", "16", "out.safetensors"]


def _pictures(folder: Path) -> Sequence[str]:
    write_plain(folder / "net.safetensors", features=4)
    model = ["--model", str(folder / "net.safetensors"), "--method", "direct"]
    return ["upscale", _photographs(folder), "out", *model]


def _download(folder: Path, hub: HubServer) -> Sequence[str]:
    from quantlib.models.architectures.edsr import EDSR

    weights = save(EDSR(2, features=32, blocks=2).state_dict())
    hub.add("acme/net", {"model.safetensors": weights, "README.md": b"---\nlicense: mit\n---\n"})
    return ["upscale", _photographs(folder), "out", "--model", "hub:acme/net", "--method", "fp32"]


def _written(file: Path, text: str) -> str:
    file.write_text(text)
    return str(file)


def _photographs(folder: Path, reduced: int = 1) -> str:
    """Two small pictures, or every so manyth pixel of them."""
    place = folder / f"photographs{reduced}"
    place.mkdir()
    for seed in range(2):
        noise = np.random.default_rng(seed).integers(0, 256, (48, 40, 3), np.uint8)
        Image.fromarray(noise[::reduced, ::reduced]).save(place / f"{seed}.png")
    return str(place)
