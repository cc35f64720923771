"""How a classifier or a segmenter in training does on the test pictures."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from quantlib.datasets import LabelledPictures
from quantlib.datasets.annotated import AnnotatedPictures
from quantlib.evaluation.iou import Confusion
from quantlib.imaging.tensors import to_tensor

BATCH = 250


class Judge(NamedTuple):
    """`percent` of a network on pictures, called `measure`, in `unit`."""

    percent: Callable[[nn.Module, Any], float]
    measure: str
    unit: str

    @torch.no_grad()
    def __call__(self, network: nn.Module, pictures: LabelledPictures | AnnotatedPictures) -> float:
        network.eval()
        found = self.percent(network, pictures)
        network.train()
        return found


def _accuracy(network: nn.Module, pictures: LabelledPictures) -> float:
    right = sum(
        int((network(x).argmax(1) == labels).sum()) for x, labels in pictures.batches(BATCH)
    )
    return 100 * right / len(pictures)


def _mean_iou(network: nn.Module, pictures: AnnotatedPictures) -> float:
    found = [network(to_tensor(rgb)).argmax(1)[0].numpy() for rgb in pictures.rgb]
    return Confusion.of(np.stack(found), pictures.labels, pictures.classes).mean_iou


JUDGES = {
    "classification": Judge(_accuracy, "top-1 accuracy", "% right"),
    "segmentation": Judge(_mean_iou, "mean IoU", "% mean IoU"),
}
"""By the task of a recipe."""
