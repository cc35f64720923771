"""Intersection over union, the measure of segmentation."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Confusion:
    """`counts[t, p]`, `int64 (classes, classes)`: pixels of class t that were called p.

    >>> found = Confusion.of(np.array([[0, 1, 1]]), np.array([[0, 0, 1]]), ("a", "b"))
    >>> found.per_class, found.mean_iou
    ({'a': 50.0, 'b': 50.0}, 50.0)
    """

    counts: np.ndarray
    classes: tuple[str, ...]

    @classmethod
    def of(cls, predicted: np.ndarray, labels: np.ndarray, classes: tuple[str, ...]) -> "Confusion":
        """Counts of two integer arrays of one shape; labels beyond the classes do not count."""
        known = labels < len(classes)
        pairs = labels[known].astype(np.int64) * len(classes) + predicted[known]
        counts = np.bincount(pairs, minlength=len(classes) ** 2)
        return cls(counts.reshape(len(classes), len(classes)), classes)

    def __add__(self, other: "Confusion") -> "Confusion":
        return Confusion(self.counts + other.counts, self.classes)

    @property
    def pixels(self) -> dict[str, int]:
        """Pixels of every class, by the annotation."""
        return dict(zip(self.classes, self.counts.sum(1).tolist(), strict=True))

    @property
    def per_class(self) -> dict[str, float]:
        """Intersection over union of every class that is there or was named, in percent."""
        hits = self.counts.diagonal()
        union = self.counts.sum(0) + self.counts.sum(1) - hits
        return {
            name: 100 * float(hit / total)
            for name, hit, total in zip(self.classes, hits, union, strict=True)
            if total
        }

    @property
    def mean_iou(self) -> float:
        """Mean over the classes, in percent; NaN where there is no pixel."""
        values = list(self.per_class.values())
        return float(np.mean(values)) if values else float("nan")

    @property
    def pixel_accuracy(self) -> float:
        """Pixels called right, in percent."""
        return 100 * float(self.counts.trace() / max(self.counts.sum(), 1))
