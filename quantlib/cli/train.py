"""Train a network by a recipe, on a folder of photographs or of a data set."""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from quantlib.cli import train_recognition
from quantlib.cli.options import folder
from quantlib.datasets.paired_folders import find_pairs
from quantlib.evaluation.quality import psnr_y
from quantlib.imaging.files import read_picture_file
from quantlib.imaging.tensors import to_tensor, to_uint8
from quantlib.training.loop import Progress
from quantlib.training.recognition.recipe import recognition_recipe_from
from quantlib.training.super_resolution.recipe import read_toml, recipe_from
from quantlib.training.super_resolution.run import train_recipe


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
    file = Path(options.recipe)
    values = read_toml(file)
    if "task" in values:
        recognition = recognition_recipe_from(values, file)
        unit = "% mean IoU" if recognition.task == "segmentation" else "% right"
        return train_recognition.train(recognition, options, partial(_watch, unit=unit))
    recipe = recipe_from(values, file)
    score = scorer(options, recipe.scale)

    def validate(network: nn.Module) -> dict[str, float]:
        return {name: round(float(np.mean(found)), 3) for name, found in score(network).items()}

    folders = [Path(name) for name in options.data]
    return train_recipe(recipe, folders, Path(options.out), options.resume, _watch, validate)


def scorer(
    options: argparse.Namespace, scale: int
) -> Callable[[nn.Module], dict[str, list[float]]]:
    """What gives a network's PSNR on every picture of the benchmarks of `--validate`."""
    benchmarks = {
        name: find_pairs(folder(high), folder(low), scale) for name, high, low in options.validate
    }

    @torch.inference_mode()
    def score(network: nn.Module) -> dict[str, list[float]]:
        return {
            name: [_psnr(network, high, low, scale) for _, high, low in pairs]
            for name, pairs in benchmarks.items()
        }

    return score


def _psnr(network: nn.Module, high: Path, low: Path, scale: int) -> float:
    result = to_uint8(network(to_tensor(read_picture_file(low).rgb)))
    truth = read_picture_file(high).rgb[: result.shape[0], : result.shape[1]]
    return round(psnr_y(result, truth, scale), 4)


def _watch(progress: Progress, unit: str = "dB") -> None:
    print(
        f"step {progress.step}/{progress.steps}  loss {progress.loss:.5f}  "
        f"{progress.steps_per_second:.1f} steps/s  {progress.seconds_left / 60:.0f} min left"
        + ("" if progress.quality is None else f"  held-out {progress.quality:.2f} {unit}"),
        file=sys.stderr,
        flush=True,
    )


def describe(report: dict[str, Any]) -> str:
    return f"{report['weights']} and {report['card']} written."
