"""What `train` does with a recipe for classification or segmentation."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from quantlib.datasets import LabelledPictures
from quantlib.datasets.annotated import AnnotatedPictures, read_camvid
from quantlib.datasets.folders import read_cifar10, read_digits
from quantlib.errors import QuantlibError
from quantlib.evaluation.iou import Confusion
from quantlib.imaging.tensors import to_tensor
from quantlib.training.loop import Progress
from quantlib.training.recognition.recipe import RecognitionRecipe
from quantlib.training.recognition.run import TITLES, train_recognition

BATCH = 250


def train(
    recipe: RecognitionRecipe, options: argparse.Namespace, watch: Callable[[Progress], None]
) -> dict[str, Any]:
    """Train by `recipe` on the data set in the one folder of `--data`."""
    if len(options.data) != 1:
        raise QuantlibError("This recipe trains on one data set; give one --data.")
    folder = Path(options.data[0])
    train_pictures, test = (_pictures(recipe, folder, split) for split in ("train", "test"))
    percent = _mean_iou if isinstance(test, AnnotatedPictures) else _accuracy

    @torch.no_grad()
    def judge(network: nn.Module) -> float:
        network.eval()
        found = percent(network, test)  # type: ignore[arg-type]
        network.train()
        return found

    def measured(network: nn.Module) -> str:
        kind = "mean IoU" if isinstance(test, AnnotatedPictures) else "top-1 accuracy"
        title = TITLES[recipe.data_set]
        return f"{judge(network):.2f} % {kind} on {len(test):,} test pictures of {title}"

    out = Path(options.out)
    return train_recognition(recipe, train_pictures, out, options.resume, watch, judge, measured)


def _pictures(
    recipe: RecognitionRecipe, folder: Path, split: str
) -> LabelledPictures | AnnotatedPictures:
    if recipe.data_set == "digits":
        return read_digits(split)
    return (read_camvid if recipe.data_set == "camvid" else read_cifar10)(folder, split)


def _accuracy(network: nn.Module, pictures: LabelledPictures) -> float:
    right = sum(
        int((network(x).argmax(1) == labels).sum()) for x, labels in pictures.batches(BATCH)
    )
    return 100 * right / len(pictures)


def _mean_iou(network: nn.Module, pictures: AnnotatedPictures) -> float:
    found = [network(to_tensor(rgb)).argmax(1)[0].numpy() for rgb in pictures.rgb]
    return Confusion.of(np.stack(found), pictures.labels, pictures.classes).mean_iou
