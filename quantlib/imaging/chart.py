"""A generated resolution chart: where an enlargement runs out of detail shows at a glance."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

PANEL = 240  # pixels a side; the chart is three panels wide and two high
PERIODS = (2, 3, 4, 5, 6, 8, 10, 12)
TEXT = "Sphinx of black quartz, judge my vow 0123456789"
PATCHES = (
    ("#b03a2e", "#d98c3f", "#e6cf4a", "#5c9e4a"),
    ("#2f7f86", "#2c4f9e", "#6b3f8f", "#c46a93"),
    ("#ffffff", "#d0d0d0", "#a0a0a0", "#707070"),
    ("#484848", "#202020", "#000000", "#e3c3a4"),
)


def chart() -> np.ndarray:
    """The chart as `uint8 (480, 720, 3)`, the same on every call.

    Above: a zone plate that ends just below one line per pixel, a Siemens star, slanted edges.
    Below: line pairs of 2 to 12 pixels, colour patches, small text.

    >>> chart().shape, bool((chart() == chart()).all())
    ((480, 720, 3), True)
    """
    above = [_grey(_zone_plate()), _grey(_siemens_star()), _grey(_slanted_edges())]
    below = [_grey(_line_pairs()), _patches(), _text()]
    return np.vstack([np.hstack(above), np.hstack(below)])


def _grey(values: np.ndarray) -> np.ndarray:
    return np.dstack([np.rint(values * 255).astype(np.uint8)] * 3)


def _grid(samples: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Pixel coordinates from the panel's centre, `samples` to a pixel and axis."""
    axis = (np.arange(PANEL * samples) + 0.5) / samples - PANEL / 2
    return axis[:, None], axis[None, :]


def _mean(values: np.ndarray, samples: int) -> np.ndarray:
    return values.reshape(PANEL, samples, PANEL, samples).mean((1, 3))


def _zone_plate() -> np.ndarray:
    y, x = _grid()
    # The phase grows by 0.9 pi per pixel at the panel's edge: just below the Nyquist frequency.
    squared = x**2 + y**2
    rings = 0.5 + 0.5 * np.cos(0.9 * np.pi * squared / PANEL)
    return np.where(squared < (PANEL / 2) ** 2, rings, 0.5)


def _siemens_star(spokes: int = 36, samples: int = 4) -> np.ndarray:
    y, x = _grid(samples)
    star = np.sin(spokes * np.arctan2(y, x) + 0.5) > 0  # no edge runs through sample points
    inside = x**2 + y**2 < (PANEL / 2 - 6) ** 2
    return _mean(np.where(inside, star, 1.0), samples)


def _slanted_edges(samples: int = 4) -> np.ndarray:
    y, x = _grid(samples)
    panel = np.ones((PANEL * samples, PANEL * samples))
    for row, degrees in enumerate((3, 10, 20, 40)):
        slope = np.tan(np.radians(degrees))
        centre = (row - 1.5) * PANEL / 4
        band = np.abs(y - centre) < PANEL / 8 - 4
        stripe = np.abs(x - slope * (y - centre)) % 60 < 30
        panel = np.where(band, np.where(stripe, 0.12, 0.88), panel)
    return _mean(panel, samples)


def _line_pairs() -> np.ndarray:
    panel = np.ones((PANEL, PANEL))
    at = np.arange(PANEL // 2 - 12)
    height = PANEL // len(PERIODS)
    for row, period in enumerate(PERIODS):
        lines = (at % period >= period / 2).astype(float)
        rows = slice(row * height + 4, (row + 1) * height - 4)
        panel[rows, 8 : 8 + len(at)] = lines
        panel[rows, PANEL // 2 + 4 : PANEL // 2 + 4 + len(at)] = lines[: height - 8, None]
    return panel


def _patches() -> np.ndarray:
    image = Image.new("RGB", (PANEL, PANEL), "#808080")
    draw, side = ImageDraw.Draw(image), PANEL // 4
    for row, colours in enumerate(PATCHES):
        for column, colour in enumerate(colours):
            left, top = column * side, row * side
            draw.rectangle((left + 4, top + 4, left + side - 5, top + side - 5), colour)
    return np.array(image)


def _text() -> np.ndarray:
    image = Image.new("RGB", (PANEL, PANEL), "white")
    draw = ImageDraw.Draw(image)
    top = 6
    for size in (7, 8, 9, 10, 12, 14, 18, 24, 32):
        font = ImageFont.load_default(size)
        draw.text((6, top), TEXT, "black", font)
        top += round(1.45 * size)
    draw.rectangle((0, top + 4, PANEL, PANEL), "#1f2a44")
    draw.text((6, top + 8), TEXT, "#f2d16b", ImageFont.load_default(11))
    draw.text((6, top + 24), TEXT, "#e9827a", ImageFont.load_default(16))
    return np.array(image)
