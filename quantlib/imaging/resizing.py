"""Bicubic resizing with antialiasing: MATLAB's imresize away from the border."""

import numpy as np
from torch import Tensor
from torch.nn.functional import interpolate

from quantlib.imaging.tensors import to_tensor, to_uint8

BAND = 256  # rows of a reduced picture that are made at once
REACH = 3  # rows more above and below, of which Keys' kernel sees two


def resize(x: Tensor, height: int, width: int) -> Tensor:
    """Bicubic resizing (Keys' kernel, a = -0.5) of `(N, C, H, W)` values, not clipped.

    >>> import torch
    >>> resize(torch.ones(1, 3, 4, 6), 8, 12).shape
    torch.Size([1, 3, 8, 12])
    """
    return interpolate(x, (height, width), mode="bicubic", antialias=True, align_corners=False)


def downscale(x: Tensor, scale: int) -> Tensor:
    """The low-resolution input of the super-resolution benchmarks: bicubic, values kept in [0, 1].

    `x` is `(N, 3, H, W)`; rows and columns beyond a multiple of `scale` are cut off first.

    >>> import torch
    >>> downscale(torch.ones(1, 3, 9, 13), 4).shape
    torch.Size([1, 3, 2, 3])
    """
    height, width = x.shape[-2] // scale, x.shape[-1] // scale
    return resize(x[..., : height * scale, : width * scale], height, width).clamp(0, 1)


def shrunk(rgb: np.ndarray, scale: int) -> np.ndarray:
    """`downscale` of `uint8 (H, W, C)` to `uint8`, in the memory of a band of rows.

    >>> shrunk(np.full((9, 13, 3), 7, np.uint8), 4).shape
    (2, 3, 3)
    """
    height, width = rgb.shape[0] // scale, rgb.shape[1] // scale
    made = np.empty((height, width, rgb.shape[2]), np.uint8)
    for top in range(0, height, BAND):
        bottom = min(top + BAND, height)
        first, last = max(0, top - REACH), min(height, bottom + REACH)
        band = to_uint8(downscale(to_tensor(rgb[first * scale : last * scale]), scale))
        made[top:bottom] = band[top - first : bottom - first]
    return made


def upscale(x: Tensor, scale: int) -> Tensor:
    """Bicubic enlargement, the floor that every network has to beat."""
    return resize(x, x.shape[-2] * scale, x.shape[-1] * scale).clamp(0, 1)


def fit_area(rgb: np.ndarray, pixels: int) -> np.ndarray:
    """`uint8 (H, W, 3)` reduced to at most `pixels` pixels in its proportions, if it has more.

    >>> fit_area(np.zeros((400, 600, 3), np.uint8), 480 * 360).shape
    (339, 509, 3)
    """
    height, width = rgb.shape[:2]
    factor = (pixels / (height * width)) ** 0.5
    if factor >= 1:
        return rgb
    return to_uint8(
        resize(to_tensor(rgb), max(1, int(height * factor)), max(1, int(width * factor)))
    )
