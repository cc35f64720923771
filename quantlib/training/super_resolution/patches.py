"""Training pairs: random crops of photographs and their bicubic reductions."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from quantlib.errors import QuantlibError
from quantlib.imaging.files import read_picture_file
from quantlib.imaging.folders import picture_files
from quantlib.imaging.resizing import downscale
from quantlib.imaging.tensors import to_tensor, to_uint8

MAX_PIXELS = 80_000_000  # of one's own photographs


class PatchSource:
    """Draws batches of aligned low- and high-resolution patches of photographs.

    Every batch is a function of (seed, step) alone, so an interrupted run goes on with exactly the
    batches that it would have seen.
    """

    def __init__(self, folders: list[Path], scale: int, patch: int) -> None:
        files = sorted(p for folder in folders for p in picture_files(folder, below=True))
        self.scale, self.patch = scale, patch
        self.pairs: list[tuple[np.ndarray, np.ndarray]] = []
        for file in files:
            high = read_picture_file(file, str(file), MAX_PIXELS).rgb
            if min(high.shape[:2]) // scale >= patch:
                self.pairs.append((to_uint8(downscale(to_tensor(high), scale)), high))
        if not self.pairs:
            names = ", ".join(str(f) for f in folders) or "no folder"
            raise QuantlibError(
                f"No picture of at least {patch * scale} pixels a side in {names}; "
                "give --data a folder of photographs."
            )

    def batch(self, size: int, seed: int, step: int) -> tuple[Tensor, Tensor]:
        """`size` patches as `(N, 3, P, P)` and `(N, 3, S·P, S·P)`, flipped and rotated."""
        random = np.random.default_rng((seed, step))
        areas = np.array([low.shape[0] * low.shape[1] for low, _ in self.pairs], float)
        chosen = random.choice(len(self.pairs), size, p=areas / areas.sum())
        pairs = [self._crop(self.pairs[i], random) for i in chosen]
        low, high = (torch.from_numpy(np.stack(side)) for side in zip(*pairs, strict=True))
        return tuple(x.permute(0, 3, 1, 2).float() / 255 for x in (low, high))  # type: ignore[return-value]

    def _crop(
        self, pair: tuple[np.ndarray, np.ndarray], random: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        low, high = pair
        p, s = self.patch, self.scale
        y = random.integers(low.shape[0] - p + 1)
        x = random.integers(low.shape[1] - p + 1)
        turns, mirrored = random.integers(4), random.integers(2)
        crops = low[y : y + p, x : x + p], high[s * y : s * (y + p), s * x : s * (x + p)]
        low, high = (np.rot90(c[:, ::-1] if mirrored else c, int(turns)) for c in crops)
        return low, high
