"""A person's whole picture, enlarged straight into a PNG file: what it will cost, and the work."""

from dataclasses import dataclass, replace
from io import BytesIO
from time import perf_counter
from typing import BinaryIO

import numpy as np

from quantlib.errors import QuantlibError
from quantlib.evaluation.at_hand import most_taken
from quantlib.evaluation.ledger import Ledger
from quantlib.imaging.colour import from_srgb
from quantlib.imaging.opacity import enlarged_rows, visible
from quantlib.imaging.png_rows import PngRows
from quantlib.imaging.reading import Picture
from quantlib.imaging.resizing import shrunk
from quantlib.imaging.tensors import to_tensor, to_uint8
from quantlib.ptq import QuantizedNetwork
from quantlib.tasks.tiles import Sizes, Watch, bands, fitted, pieces_of, some_tiles

MOST_PIXELS = 100_000_000  # of a result that is handed out as one file
UNDER_TRANSPARENCY = 24  # bytes a pixel: where the nearest visible one lies


@dataclass(frozen=True)
class Cost:
    """What a whole picture will take: `tiles` passes, `seconds`, and `memory` in bytes at most."""

    tiles: int
    seconds: float
    memory: int


def as_input(picture: Picture, scale: int) -> Picture:
    """The picture reduced by `scale`, transparency too: what goes in where it is the truth."""
    seen = visible(picture.rgb, picture.alpha)
    alpha = picture.alpha
    if alpha is not None:
        alpha = shrunk(alpha[..., None], scale)[..., 0]
    return replace(picture, rgb=shrunk(seen, scale), alpha=alpha)


def check_result(width: int, height: int) -> None:
    """A QuantlibError for a result of more pixels than one file may have."""
    if width * height > MOST_PIXELS:
        raise QuantlibError(
            f"The whole result would have {width:,}×{height:,} pixels, above the limit of "
            f"{MOST_PIXELS / 1e6:.0f} megapixels; choose a smaller scale, or enlarge it by "
            "bitlens upscale on your own machine."
        )


def cost(network: QuantizedNetwork, picture: Picture, scale: int) -> Cost:
    """What `write_whole` will take, from its tile in the middle, which is run twice."""
    rgb = picture.rgb
    cut = pieces_of(network, rgb, scale)
    given, kept, _ = cut[len(cut) // 2]
    tile = to_tensor(rgb[given])
    taken = most_taken(lambda: network.measure(tile))
    started = perf_counter()
    output, _ = network.measure(tile)
    made = to_uint8(output[(..., *kept)])
    png = PngRows(BytesIO(), made.shape[1], made.shape[0], transparent=False)
    png.add(made)
    png.end()
    seconds = perf_counter() - started
    area = sum(_area(piece.given) for piece in cut) / _area(given)
    passes = area + len(some_tiles(rgb)) * (network.fits_each_input and len(cut) > 1)
    return Cost(len(cut), passes * seconds, taken + _held_beside(picture, made, scale))


def write_whole(
    network: QuantizedNetwork, picture: Picture, scale: int, file: BinaryIO, watch: Watch
) -> Ledger:
    """Enlarges `picture` into a PNG file, and says what its activations took.

    Colours are stored in the picture's own profile, and transparency is enlarged on its own. No
    more than a row of tiles is held at once; what `watch` raises ends the work.
    """
    alpha, seen = picture.alpha, visible(picture.rgb, picture.alpha)
    height, width = (scale * side for side in seen.shape[:2])
    png = PngRows(file, width, height, alpha is not None, picture.profile)
    tiles = len(pieces_of(network, seen, scale))
    ready = fitted(network, seen, lambda: watch(0, tiles))
    sizes: Sizes = {}
    top = 0
    for band in bands(ready, seen, scale, sizes, watch):
        bottom = top + len(band)
        if picture.profile is not None:
            band = from_srgb(band, picture.profile)
        if alpha is not None:
            band = np.dstack([band, enlarged_rows(alpha, scale, top, bottom)])
        png.add(band)
        top = bottom
    png.end()
    return Ledger(sizes)


def _area(part: tuple[slice, slice]) -> int:
    rows, columns = part
    return (rows.stop - rows.start) * (columns.stop - columns.start)


def _held_beside(picture: Picture, tile: np.ndarray, scale: int) -> int:
    """Bytes of the picture and of a band of its result, once as it is, in its colours, with alpha.

    And what is looked up under transparency.
    """
    height, width = picture.rgb.shape[:2]
    band = len(tile) * scale * width
    if picture.alpha is None:
        return picture.rgb.nbytes + band * (3 + 2 * 4)
    return 2 * picture.rgb.nbytes + UNDER_TRANSPARENCY * height * width + band * (3 + 3 * 4)
