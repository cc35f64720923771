"""What lies between two integer layers, in one pass over memory.

Compiled by numba; the plain form of each gives the same codes and runs where numba is switched off.
Channels lie last in memory: a pass sees pixel after pixel.
"""

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from quantlib.runtime.grids import CodeGrid, along, for_many_pixels


def quantized(x: Tensor, grid: CodeGrid, kernels: bool = True) -> Tensor:
    """The codes of `x` as `uint8` with qmin held as 0, in the shape of `x`."""
    if not kernels:
        return grid.codes(x).add_(grid.offset).to(torch.uint8)
    out = torch.empty_like(x, dtype=torch.uint8, memory_format=layout(x))
    _compiled().quantize(_flat(x), *grid.constants, _own(out))
    return out


def accumulate(
    total: Tensor,
    codes: Tensor,
    factor: float,
    added: Tensor,
    alpha: float,
    relu: bool,
    grid: CodeGrid,
    keep: bool = True,
    kernels: bool = True,
) -> None:
    """Puts factor · total + alpha · added in the place of `total`, and its codes into `codes`.

    `relu` rectifies the sum before. Without `keep` nobody needs it, and `total` stays as it is.
    """
    if not kernels:
        summed = (total * factor).add_(added, alpha=alpha)
        codes.copy_(quantized(summed.relu_() if relu else summed, grid, kernels=False))
        if keep:
            total.copy_(summed)
        return
    work, flat = (_compiled().accumulate, _own) if keep else (_compiled().add, _flat)
    numbers = np.float32(factor), np.float32(alpha), relu, *grid.constants
    work(flat(total), _flat(added), *numbers, _own(codes))


@dataclass(frozen=True, eq=False)
class Limits:
    """Codes of `channels` channels lie from `lowest` `uint8 (C,)` or `(1,)` to `highest`."""

    lowest: Tensor
    highest: int
    channels: int

    @cached_property
    def constants(self) -> tuple[Any, ...]:
        """What the compiled pass takes."""
        return for_many_pixels(self.lowest.expand(self.channels)), np.uint8(self.highest)


def limit(codes: Tensor, limits: Limits, kernels: bool = True) -> Tensor:
    """Puts codes `uint8` that lie outside of `limits` on them, in their own place.

    >>> limits = Limits(torch.tensor([2], dtype=torch.uint8), 5, channels=3)
    >>> limit(torch.tensor([[1, 9, 4]], dtype=torch.uint8), limits)
    tensor([[2, 5, 4]], dtype=torch.uint8)
    """
    if not kernels:
        torch.maximum(codes, along(limits.lowest, codes), out=codes)
        return codes.clamp_(max=limits.highest)
    _compiled().limit(_own(codes), *limits.constants)
    return codes


def layout(x: Tensor) -> torch.memory_format:
    """The order of memory in which the channels of `x` lie last."""
    return torch.channels_last if x.dim() == 4 else torch.contiguous_format


def _flat(x: Tensor) -> np.ndarray:
    """Pixel after pixel, the memory of `x` itself where its channels lie last."""
    return _pixels(x).reshape(-1).numpy()


def _own(x: Tensor) -> np.ndarray:
    """The same for a tensor that is written to: an error where it would be a copy."""
    return _pixels(x).view(-1).numpy()


def _pixels(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1) if x.dim() == 4 else x


@cache
def _compiled() -> Any:
    from quantlib.runtime import compiled_passes

    return compiled_passes
