"""What lies between two integer layers, in one pass over memory.

Compiled by numba; the plain form of each gives the same codes and runs where numba is switched off.
Channels lie last in memory: a pass sees `(pixels, C)`.
"""

from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from quantlib.runtime.grids import CodeGrid


def quantized(x: Tensor, grid: CodeGrid, kernels: bool = True) -> Tensor:
    """The codes of `x` as `uint8` with qmin held as 0, in the shape of `x`."""
    if not kernels:
        return grid.codes(x).add_(grid.offset).to(torch.uint8)
    out = torch.empty_like(x, dtype=torch.uint8, memory_format=layout(x))
    _compiled().quantize(_rows(x), *_constants(grid, x), _rows(out))
    return out


def accumulated(
    total: Tensor,
    factor: float,
    added: Tensor,
    alpha: float,
    relu: bool,
    grid: CodeGrid,
    kernels: bool = True,
) -> Tensor:
    """Puts factor · total + alpha · added in the place of `total`, and returns the codes of it.

    `relu` rectifies the sum before.
    """
    if not kernels:
        total.mul_(factor).add_(added, alpha=alpha)
        return quantized(total.relu_() if relu else total, grid, kernels=False)
    codes = torch.empty_like(added, dtype=torch.uint8, memory_format=layout(added))
    numbers = np.float32(factor), np.float32(alpha), relu, *_constants(grid, added)
    _compiled().accumulate(_own_rows(total), _rows(added), *numbers, _rows(codes))
    return codes


def codes_of_sum(
    kept: Tensor,
    factor: float,
    added: Tensor,
    alpha: float,
    relu: bool,
    grid: CodeGrid,
    kernels: bool = True,
) -> Tensor:
    """The codes of factor · kept + alpha · added, where nobody needs the sum itself."""
    if not kernels:
        return accumulated(kept.clone(), factor, added, alpha, relu, grid, kernels=False)
    codes = torch.empty_like(added, dtype=torch.uint8, memory_format=layout(added))
    numbers = np.float32(factor), np.float32(alpha), relu, *_constants(grid, added)
    _compiled().add(_rows(kept), _rows(added), *numbers, _rows(codes))
    return codes


def _constants(grid: CodeGrid, x: Tensor) -> tuple[Any, ...]:
    channels = x.shape[1] if x.dim() == 4 else x.shape[-1]
    shift = torch.zeros(channels) if grid.shift is None else grid.shift
    inverse = 1 / np.float32(grid.step)
    limits = np.float32(grid.qmin), np.float32(grid.qmax), np.int32(grid.offset)
    return shift.numpy(), inverse, *limits


def layout(x: Tensor) -> torch.memory_format:
    """The order of memory in which the channels of `x` lie last."""
    return torch.channels_last if x.dim() == 4 else torch.contiguous_format


def _rows(x: Tensor) -> np.ndarray:
    """`(pixels, C)`, the memory of `x` itself where its channels lie last."""
    x = x.permute(0, 2, 3, 1) if x.dim() == 4 else x
    return x.reshape(-1, x.shape[-1]).numpy()


def _own_rows(x: Tensor) -> np.ndarray:
    """The same for a tensor that is written to: an error where it would be a copy."""
    x = x.permute(0, 2, 3, 1) if x.dim() == 4 else x
    return x.view(-1, x.shape[-1]).numpy()


@cache
def _compiled() -> Any:
    from quantlib.runtime import compiled_passes

    return compiled_passes
