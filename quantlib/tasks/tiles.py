"""Pictures of any size through a quantized network: large ones in tiles, never held as floats."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np
from torch import Tensor

from quantlib.imaging.tensors import to_tensor, to_uint8
from quantlib.imaging.tiling import Piece, pieces
from quantlib.ptq import QuantizedNetwork, quantize
from quantlib.quantizers.sizes import ByteSizes, add_sizes
from quantlib.runtime.bands import halo_of
from quantlib.tasks.budget import within_budget

WHOLE_PIXELS = 320 * 320
TILE = 192
CALIBRATION_TILES = 8

Watch = Callable[[int, int], None]
Pause = Callable[[], None]
Sizes = dict[str, ByteSizes]


def is_large(rgb: np.ndarray) -> bool:
    """Whether a picture is done in tiles."""
    return rgb.shape[0] * rgb.shape[1] > WHOLE_PIXELS


def pieces_of(network: QuantizedNetwork, rgb: np.ndarray, scale: int) -> list[Piece]:
    """The tiles that a picture is done in, each with its surroundings; a small one is a single."""
    inside = network.site_network.network
    height, width = rgb.shape[:2]
    tile = TILE if is_large(rgb) else max(height, width)
    return pieces(height, width, scale, halo_of(inside), tile, getattr(inside, "window", 1))


def some_tiles(rgb: np.ndarray) -> list[Tensor]:
    """What scales are taken from: tiles spread over a large picture, or the whole of a small one.

    >>> len(some_tiles(np.zeros((20, 30, 3), np.uint8)))
    1
    >>> len(some_tiles(np.zeros((700, 1000, 3), np.uint8)))
    8
    """
    if not is_large(rgb):
        return [to_tensor(rgb)]
    height, width = rgb.shape[:2]
    corners = [(y, x) for y in range(0, height, TILE) for x in range(0, width, TILE)]
    chosen = corners[:: -(-len(corners) // CALIBRATION_TILES)]
    return [to_tensor(rgb[y : y + TILE, x : x + TILE]) for y, x in chosen]


def frozen(
    network: QuantizedNetwork, rgb: np.ndarray, pause: Pause = lambda: None
) -> QuantizedNetwork:
    """For a large picture, with scales that do not depend on the tile: taken from `some_tiles`.

    `pause` is called before each of them; what it raises ends the work.
    """
    if not (is_large(rgb) and network.fits_each_input):
        return network
    settings = replace(network.settings, scales="frozen")
    seen = _after(pause, some_tiles(rgb))
    return quantize(network.site_network, settings, network.masks, seen)


def fitted(network: QuantizedNetwork, rgb: np.ndarray, pause: Pause) -> QuantizedNetwork:
    """`frozen`; a budget is met on `some_tiles`, which spares a second pass over all of them."""
    if not network.settings.entry.budgeted:
        return frozen(network, rgb, pause)
    seen = some_tiles(rgb)

    def measure(tried: QuantizedNetwork) -> tuple[QuantizedNetwork, Sizes]:
        sizes: Sizes = {}
        for tile in _after(pause, seen):
            add_sizes(sizes, tried.measure(tile)[1])
        return tried, sizes

    return within_budget(network, seen, measure)[0]


def _after(pause: Pause, tiles: Iterable[Tensor]) -> Iterator[Tensor]:
    for tile in tiles:
        pause()
        yield tile


def bands(
    network: QuantizedNetwork, rgb: np.ndarray, scale: int, sizes: Sizes, watch: Watch
) -> Iterator[np.ndarray]:
    """The result from top to bottom in bands of one row of tiles, `uint8 (h, S·W, 3)`.

    To `sizes` is added what the activations of every tile take.
    """
    cut, width = pieces_of(network, rgb, scale), scale * rgb.shape[1]
    for done, (given, kept, (rows, columns)) in enumerate(cut):
        watch(done, len(cut))
        output, spent = network.measure(to_tensor(rgb[given]))
        add_sizes(sizes, spent)
        if columns.start == 0:
            band = np.empty((rows.stop - rows.start, width, 3), np.uint8)
        band[:, columns] = to_uint8(output[(..., *kept)])
        if columns.stop == width:
            yield band
    watch(len(cut), len(cut))


def enlarged(
    network: QuantizedNetwork, rgb: np.ndarray, scale: int, watch: Watch
) -> tuple[np.ndarray, Sizes]:
    """The whole result, `uint8 (S·H, S·W, 3)`, and what its activations take."""
    sizes: Sizes = {}
    made = np.empty((scale * rgb.shape[0], scale * rgb.shape[1], 3), np.uint8)
    top = 0
    for band in bands(frozen(network, rgb), rgb, scale, sizes, watch):
        made[top : top + len(band)] = band
        top += len(band)
    return made, sizes
