"""One crop through all panels, enlarged without interpolation."""

import math
from base64 import b64encode
from dataclasses import dataclass
from html import escape

import numpy as np
import streamlit as st

from pages.parts.shared.address import CROP, remember
from quantlib.imaging.reading import png_bytes

SIDE = 42
ERROR_GAIN = 10
_ENLARGED = (  # whole multiples of the crop: two side by side on a telephone, more on a wide screen
    f":root {{ --crop: {3 * SIDE}px }} "
    f"@media (max-width: 480px), (min-width: 1600px) {{ :root {{ --crop: {4 * SIDE}px }} }}"
)


@dataclass(frozen=True)
class Crop:
    """A square of the enlarged picture: its centre as fractions of width and height.

    `side` is in pixels.
    """

    x: float = 0.5
    y: float = 0.5
    side: int = SIDE

    def box(self, height: int, width: int) -> tuple[int, int, int, int]:
        """(top, left, bottom, right) in pixels, inside the picture."""
        side = min(self.side, height, width)
        top = min(max(round(self.y * height - side / 2), 0), height - side)
        left = min(max(round(self.x * width - side / 2), 0), width - side)
        return top, left, top + side, left + side

    def fractions(self, height: int, width: int) -> tuple[float, float, float, float]:
        """(x0, y0, x1, y1) as fractions, for a mark in the viewer."""
        top, left, bottom, right = self.box(height, width)
        return left / width, top / height, right / width, bottom / height

    def cut(self, rgb: np.ndarray) -> np.ndarray:
        top, left, bottom, right = self.box(*rgb.shape[:2])
        return rgb[top:bottom, left:right]


def error_map(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Ten times the absolute difference, the mean of the three colours, as a grey picture."""
    difference = np.abs(a.astype(np.int16) - b.astype(np.int16)).mean(2, keepdims=True)
    return np.clip(ERROR_GAIN * difference, 0, 255).astype(np.uint8).repeat(3, 2)


@dataclass(frozen=True, eq=False)
class Panel:
    """A crop `uint8 (h, w, 3)` with its title, its figures and a text for who cannot see it."""

    rgb: np.ndarray
    title: str
    figures: str
    alt: str

    def html(self) -> str:
        """The pixels as they are; the browser enlarges them to squares, on any screen."""
        data = b64encode(png_bytes(self.rgb)).decode("ascii")
        return (
            '<figure style="margin:0;width:var(--crop)">'
            f'<img src="data:image/png;base64,{data}" alt="{escape(self.alt)}" '
            'style="width:100%;image-rendering:pixelated;border-radius:0.4rem;display:block">'
            '<figcaption style="font-size:0.85rem;line-height:1.35;margin-top:0.3rem">'
            f"<b>{escape(self.title)}</b><br>{escape(self.figures)}</figcaption></figure>"
        )


def show_row(panels: list[Panel]) -> None:
    """Crops side by side, in as many rows as the screen needs."""
    figures = "".join(panel.html() for panel in panels)
    st.html(
        f"<style>{_ENLARGED}</style>"
        f'<div style="display:flex;flex-wrap:wrap;gap:0.8rem 0.5rem">{figures}</div>'
    )


def crop_from_address(reference: np.ndarray, floor: np.ndarray) -> Crop:
    """The crop's centre from `?at=x,y`, or where bicubic enlargement misses most."""
    try:
        x, y = (float(part) for part in st.query_params.get(CROP, "").split(","))
    except ValueError:
        x = y = math.nan
    if math.isfinite(x) and math.isfinite(y):
        return Crop(min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0))
    return hardest_crop(reference, floor)


def hardest_crop(reference: np.ndarray, floor: np.ndarray) -> Crop:
    """The crop in which `floor` differs most from `reference`, both `uint8 (H, W, 3)`."""
    from scipy.ndimage import uniform_filter  # slow to import

    difference = np.abs(reference.astype(float) - floor).mean(2)
    height, width = difference.shape
    side = min(SIDE, height, width)
    sums = uniform_filter(difference, side, mode="constant")
    half = side // 2
    inside = sums[half : half + height - side + 1, half : half + width - side + 1]
    row, column = np.unravel_index(inside.argmax(), inside.shape)
    return Crop(float(column + half) / width, float(row + half) / height)


def remember_crop(x: float, y: float) -> None:
    remember(CROP, f"{x:.3f},{y:.3f}")
