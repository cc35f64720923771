"""Large pictures through a network piece by piece, in the memory of one piece."""

from collections.abc import Callable
from itertools import product

import torch
from torch import Tensor

from quantlib.errors import QuantlibError


def _unwatched(done: int, total: int) -> None:
    pass


@torch.no_grad()
def tiled(
    network: Callable[[Tensor], Tensor],
    x: Tensor,
    scale: int,
    halo: int,
    tile: int | tuple[int, int] = 256,
    multiple: int = 1,
    watch: Callable[[int, int], None] = _unwatched,
) -> Tensor:
    """`network(x)`, from `(N, C, H, W)` to `(N, C', H * scale, W * scale)` on the CPU, in tiles.

    Each tile of `tile` low-resolution pixels a side, or `tile` rows and columns, is run with `halo`
    more around it, fewer at the picture's border, and only its own part of the result is kept. The
    result is that of the whole picture, to rounding, when no output pixel depends on inputs farther
    away than `halo`. The pieces start and end at multiples of `multiple`, for networks that cut
    their input into windows.

    `watch(done, total)` is called before every tile and after the last; what it raises ends the
    run. Raises QuantlibError for an empty picture or settings that make no tiles.

    >>> tiled(lambda x: x.repeat_interleave(2, 2).repeat_interleave(2, 3),
    ...       torch.rand(1, 3, 5, 7), scale=2, halo=0, tile=4).shape
    torch.Size([1, 3, 10, 14])
    """
    sides = tile if isinstance(tile, tuple) else (tile, tile)
    if min(*sides, scale, multiple) < 1 or halo < 0:
        raise QuantlibError(
            f"Tiles of {tile} pixels with a halo of {halo}, scale {scale} and multiple {multiple} "
            "are impossible; give a halo of 0 or more and 1 or more for the others."
        )
    if x.ndim != 4 or x.numel() == 0:
        raise QuantlibError(
            f"A picture tensor is (N, C, H, W) with at least one pixel, not {tuple(x.shape)}; "
            "choose another picture."
        )
    rows, columns = (-(-side // multiple) * multiple for side in sides)
    height, width = x.shape[-2:]
    corners = list(product(range(0, height, rows), range(0, width, columns)))
    out: Tensor | None = None
    for done, (top, left) in enumerate(corners):
        watch(done, len(corners))
        bottom, right = min(top + rows, height), min(left + columns, width)
        first_row = max(0, top - halo) // multiple * multiple
        first_column = max(0, left - halo) // multiple * multiple
        last_row = -(-(bottom + halo) // multiple) * multiple  # slices end at the border anyway
        last_column = -(-(right + halo) // multiple) * multiple
        y = network(x[..., first_row:last_row, first_column:last_column])
        kept = y[
            ...,
            (top - first_row) * scale : (bottom - first_row) * scale,
            (left - first_column) * scale : (right - first_column) * scale,
        ]
        if out is None:
            out = torch.empty(
                *y.shape[:2], height * scale, width * scale, dtype=y.dtype, device="cpu"
            )
        out[..., top * scale : bottom * scale, left * scale : right * scale] = kept
    watch(len(corners), len(corners))
    assert out is not None
    return out
