"""What channels are ranked on: an input, and how good an output is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from quantlib.datasets import LabelledPictures
from quantlib.datasets.annotated import AnnotatedPictures
from quantlib.errors import QuantlibError
from quantlib.imaging.tensors import to_tensor


class Example(Protocol):
    """An input of a network with what is known about its output."""

    @property
    def input(self) -> Tensor: ...

    def loss(self, output: Tensor) -> Tensor:
        """The scalar that gradients are taken of."""
        ...

    def quality(self, output: Tensor) -> Tensor:
        """What the greedy search maximises: one number per picture, `(N,)`."""
        ...


@dataclass(frozen=True, eq=False)
class LabelledBatch:
    """Pictures `(N, 3, H, W)` in [0, 1] and their classes `int64 (N,)`, for a classifier.

    >>> import torch
    >>> batch = LabelledBatch(torch.zeros(2, 3, 1, 1), torch.tensor([0, 1]))
    >>> batch.quality(torch.tensor([[2.0, 1.0], [2.0, 1.0]])).tolist()
    [1.0, 0.0]
    """

    input: Tensor
    labels: Tensor

    def loss(self, output: Tensor) -> Tensor:
        """Cross-entropy in nats, summed, so that scores do not depend on the batches."""
        return cross_entropy(output, self.labels.clone(), reduction="sum")

    def quality(self, output: Tensor) -> Tensor:
        """1 where the class is right, else 0."""
        return (output.argmax(1) == self.labels).float()


@dataclass(frozen=True, eq=False)
class AnnotatedBatch:
    """Pictures `(N, 3, H, W)` in [0, 1] and classes `int64 (N, H, W)`, for a segmenter.

    Labels beyond the classes do not count.

    >>> import torch
    >>> logits = torch.tensor([2.0, 1.0]).view(1, 2, 1, 1).expand(1, 2, 1, 3)
    >>> batch = AnnotatedBatch(torch.zeros(1, 3, 1, 3), torch.tensor([[[0, 1, 2]]]))
    >>> batch.quality(logits).tolist()
    [0.5]
    """

    input: Tensor
    labels: Tensor

    def loss(self, output: Tensor) -> Tensor:
        """Cross-entropy in nats, summed over the pixels."""
        void = output.shape[1]
        return cross_entropy(output, self.labels.clone(), ignore_index=void, reduction="sum")

    def quality(self, output: Tensor) -> Tensor:
        """The share of each picture's pixels whose class is right."""
        known = self.labels < output.shape[1]
        right = (output.argmax(1) == self.labels) & known
        return right.sum((1, 2)) / known.sum((1, 2)).clamp_min(1)


def labelled_batches(pictures: LabelledPictures, size: int = 250) -> list[LabelledBatch]:
    """Calibration examples of labelled pictures, `size` of them in each but the last."""
    batches: Iterator[tuple[Tensor, Tensor]] = pictures.batches(size)
    examples = [LabelledBatch(x, labels) for x, labels in batches]
    if not examples:
        raise QuantlibError("Calibration needs at least one labelled picture.")
    return examples


def annotated_pictures(pictures: AnnotatedPictures) -> list[AnnotatedBatch]:
    """Calibration examples of annotated pictures, one in each."""
    examples = [
        AnnotatedBatch(to_tensor(rgb), torch.from_numpy(labels[None].astype(np.int64)))
        for rgb, labels in zip(pictures.rgb, pictures.labels, strict=True)
    ]
    if not examples:
        raise QuantlibError("Calibration needs at least one annotated picture.")
    return examples
