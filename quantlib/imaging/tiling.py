"""Large pictures through a network piece by piece, in the memory of one piece."""

from collections.abc import Callable
from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor

from quantlib.errors import QuantlibError

Part = tuple[slice, slice]
"""Rows and columns."""


class Piece(NamedTuple):
    """The network sees `given` of the picture; `kept` of what it makes goes to `place`."""

    given: Part
    kept: Part
    place: Part


def pieces(
    height: int,
    width: int,
    scale: int,
    halo: int,
    tile: int | tuple[int, int] = 256,
    multiple: int = 1,
) -> list[Piece]:
    """The pieces of a picture, as `tiled` runs them, from left to right and from top to bottom.

    Raises QuantlibError for settings that make no tiles.

    >>> [one.given[1] for one in pieces(4, 7, scale=2, halo=1, tile=4)]
    [slice(0, 5, None), slice(3, 7, None)]
    """
    sides = tile if isinstance(tile, tuple) else (tile, tile)
    if min(*sides, scale, multiple) < 1 or halo < 0:
        raise QuantlibError(
            f"Tiles of {tile} pixels with a halo of {halo}, scale {scale} and multiple {multiple} "
            "are impossible; give a halo of 0 or more and 1 or more for the others."
        )
    along = [
        _along(length, scale, halo, -(-side // multiple) * multiple, multiple)
        for length, side in zip((height, width), sides, strict=True)
    ]
    return [Piece(*zip(rows, columns, strict=True)) for rows, columns in product(*along)]


def _along(
    length: int, scale: int, halo: int, side: int, multiple: int
) -> list[tuple[slice, slice, slice]]:
    """`given`, `kept` and `place` of every piece along one axis."""
    found = []
    for start in range(0, length, side):
        stop = min(start + side, length)
        first = max(0, start - halo) // multiple * multiple
        last = min(-(-(stop + halo) // multiple) * multiple, length)
        kept = slice((start - first) * scale, (stop - first) * scale)
        found.append((slice(first, last), kept, slice(start * scale, stop * scale)))
    return found


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
    if x.ndim != 4 or x.numel() == 0:
        raise QuantlibError(
            f"A picture tensor is (N, C, H, W) with at least one pixel, not {tuple(x.shape)}; "
            "choose another picture."
        )
    height, width = x.shape[-2:]
    cut = pieces(height, width, scale, halo, tile, multiple)
    out: Tensor | None = None
    for done, piece in enumerate(cut):
        watch(done, len(cut))
        y = network(x[(..., *piece.given)])
        if out is None:
            size = (*y.shape[:2], height * scale, width * scale)
            out = torch.empty(size, dtype=y.dtype, device="cpu")
        out[(..., *piece.place)] = y[(..., *piece.kept)]
    watch(len(cut), len(cut))
    assert out is not None
    return out
