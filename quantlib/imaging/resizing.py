"""Bicubic resizing with antialiasing: MATLAB's imresize away from the border."""

from torch import Tensor
from torch.nn.functional import interpolate


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


def upscale(x: Tensor, scale: int) -> Tensor:
    """Bicubic enlargement, the floor that every network has to beat."""
    return resize(x, x.shape[-2] * scale, x.shape[-1] * scale).clamp(0, 1)
