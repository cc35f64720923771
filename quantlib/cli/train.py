"""Train a network by a recipe, on a folder of photographs or of a data set."""

import argparse
import os
import sys
from functools import partial
from typing import Any

import numpy as np
from torch import nn

from quantlib.cli.options import folder, path
from quantlib.training.loop import Progress
from quantlib.training.recognition.judging import JUDGES
from quantlib.training.recognition.recipe import recognition_recipe_from
from quantlib.training.recognition.run import train_and_test
from quantlib.training.super_resolution.benchmarks import Benchmark, scorer
from quantlib.training.super_resolution.recipe import read_toml, recipe_from
from quantlib.training.super_resolution.run import train_recipe
from quantlib.training.together import joined


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "recipe", metavar="RECIPE", help="a TOML file such as those in assets/recipes"
    )
    add_data(parser)
    parser.add_argument("--out", required=True, metavar="DIR", help="where weights and card go")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")


def add_data(parser: argparse.ArgumentParser) -> None:
    """The photographs to train on and the benchmarks to measure on."""
    parser.add_argument(
        "--data",
        required=True,
        action="append",
        metavar="DIR",
        help="a folder of photographs (searched in depth; may be given several times). The bundled "
        "weights were trained on the train and test pictures of BSDS500 (Berkeley Segmentation "
        "Data Set) and the 91 pictures of Yang et al. (T91)",
    )
    parser.add_argument(
        "--validate",
        nargs=3,
        action="append",
        default=[],
        metavar=("NAME", "HR", "LR"),
        help="a benchmark whose PSNR the card reports (may be given several times)",
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    with joined() as processes:
        if not processes.is_first:
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115
        return _run(options)


def _run(options: argparse.Namespace) -> dict[str, Any]:
    file, folders, out = path(options.recipe), [path(d) for d in options.data], path(options.out)
    values = read_toml(file)
    if "task" in values:
        recognition = recognition_recipe_from(values, file)
        watch = partial(_watch, unit=JUDGES[recognition.task].unit)
        return train_and_test(recognition, folders, out, options.resume, watch)
    recipe = recipe_from(values, file)
    score = scorer(benchmarks(options), recipe.scale)

    def validate(network: nn.Module) -> dict[str, float]:
        return {name: round(float(np.mean(found)), 3) for name, found in score(network).items()}

    return train_recipe(recipe, folders, out, options.resume, _watch, validate)


def benchmarks(options: argparse.Namespace) -> list[Benchmark]:
    """What `--validate` names."""
    return [(name, folder(high), folder(low)) for name, high, low in options.validate]


def _watch(progress: Progress, unit: str = "dB") -> None:
    print(
        f"step {progress.step}/{progress.steps}  loss {progress.loss:.5f}  "
        f"{progress.steps_per_second:.1f} steps/s  {progress.seconds_left / 60:.0f} min left"
        + ("" if progress.quality is None else f"  held-out {progress.quality:.2f} {unit}"),
        file=sys.stderr,
        flush=True,
    )


def describe(report: dict[str, Any]) -> str | None:
    if not report:  # one of several processes, of which the first speaks for all
        return None
    return f"{report['weights']} and {report['card']} written."
