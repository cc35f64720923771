"""Calibration pairs: what the network sees and what it should have made of it."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import l1_loss

from quantlib.errors import QuantlibError
from quantlib.imaging.resizing import downscale
from quantlib.imaging.tensors import to_tensor


@dataclass(frozen=True, eq=False)
class Pair:
    """A low-resolution input `(1, 3, H, W)` and its truth `(1, 3, S·H, S·W)`, an `Example`."""

    low: Tensor
    high: Tensor

    @property
    def input(self) -> Tensor:
        return self.low

    def loss(self, output: Tensor) -> Tensor:
        """The L1 loss."""
        return l1_loss(output, self.high.clone())

    def quality(self, output: Tensor) -> Tensor:
        """PSNR in dB over RGB, `(1,)`."""
        return -10 * torch.log10((output.clamp(0, 1) - self.high).square().mean())[None]


def pairs_from(pictures: list[np.ndarray], scale: int) -> list[Pair]:
    """Bicubic reductions of high-resolution pictures, `uint8 (H, W, 3)` each."""
    pairs = []
    for rgb in pictures:
        height, width = (n - n % scale for n in rgb.shape[:2])
        if not height or not width:
            raise QuantlibError(
                f"A calibration picture of {rgb.shape[1]}×{rgb.shape[0]} pixels is too small "
                f"for ×{scale}; use larger ones."
            )
        high = to_tensor(rgb[:height, :width])
        pairs.append(Pair(downscale(high, scale), high))
    if not pairs:
        raise QuantlibError("Calibration needs at least one picture.")
    return pairs
