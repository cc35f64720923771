"""Pictures of one size, each with the number of its class."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from quantlib.errors import QuantlibError

if TYPE_CHECKING:
    from torch import Tensor

CIFAR10_CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)


@dataclass(frozen=True, eq=False)
class LabelledPictures:
    """`rgb` is `uint8 (N, H, W, 3)`, `labels` `int64 (N,)` with the index in `classes` of each.

    >>> pictures = LabelledPictures(np.zeros((3, 2, 2, 3), np.uint8), np.array([0, 1, 1]))
    >>> len(pictures), len(pictures[1:]), [len(labels) for _, labels in pictures.batches(2)]
    (3, 2, [2, 1])
    """

    rgb: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...] = CIFAR10_CLASSES

    def __post_init__(self) -> None:
        rgb, labels = self.rgb, self.labels
        if rgb.dtype != np.uint8 or rgb.ndim != 4 or rgb.shape[3] != 3:
            raise QuantlibError(
                f"Labelled pictures are uint8 (N, H, W, 3), not {rgb.dtype} {rgb.shape}; "
                "convert them first."
            )
        if labels.shape != rgb.shape[:1] or labels.dtype.kind not in "iu":
            raise QuantlibError(
                f"{len(rgb)} pictures need as many whole numbers as labels, not {labels.dtype} "
                f"{labels.shape}; choose labels of the same data set."
            )
        if len(labels) and not 0 <= labels.min() <= labels.max() < len(self.classes):
            wrong = labels[(labels < 0) | (labels >= len(self.classes))][0]
            raise QuantlibError(
                f"A label is {wrong}, but the {len(self.classes)} classes are numbered from 0; "
                "choose labels of the same data set."
            )

    def __len__(self) -> int:
        return len(self.rgb)

    def __getitem__(self, chosen: slice) -> "LabelledPictures":
        return replace(self, rgb=self.rgb[chosen], labels=self.labels[chosen])

    def batches(self, size: int) -> "Iterator[tuple[Tensor, Tensor]]":
        """Pictures `float32 (B, 3, H, W)` in [0, 1] and labels `int64 (B,)`, B up to `size`."""
        import torch  # the pictures themselves are read without it

        if size < 1:
            raise QuantlibError(f"A batch holds at least one picture, not {size}.")
        for start in range(0, len(self), size):
            rgb = torch.from_numpy(np.ascontiguousarray(self.rgb[start : start + size]))
            labels = torch.from_numpy(self.labels[start : start + size].astype(np.int64))
            yield rgb.permute(0, 3, 1, 2).float() / 255, labels
