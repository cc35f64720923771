"""One crop through all panels, enlarged without interpolation."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from quantlib.imaging.reading import png_bytes

SIDE = 48
SHOWN = 240
ERROR_GAIN = 10


@dataclass(frozen=True)
class Crop:
    """A square of the enlarged picture: its centre as fractions of width and height."""

    x: float = 0.5
    y: float = 0.5

    def box(self, height: int, width: int) -> tuple[int, int, int, int]:
        """(top, left, bottom, right) in pixels, inside the picture."""
        side = min(SIDE, height, width)
        top = min(max(round(self.y * height - side / 2), 0), height - side)
        left = min(max(round(self.x * width - side / 2), 0), width - side)
        return top, left, top + side, left + side

    def fractions(self, height: int, width: int) -> tuple[float, float, float, float]:
        """(x0, y0, x1, y1) as fractions, for the compare slider."""
        top, left, bottom, right = self.box(height, width)
        return left / width, top / height, right / width, bottom / height

    def cut(self, rgb: np.ndarray) -> np.ndarray:
        top, left, bottom, right = self.box(*rgb.shape[:2])
        return rgb[top:bottom, left:right]


def enlarged(rgb: np.ndarray) -> bytes:
    """A PNG of the crop, every pixel a square of whole screen pixels."""
    factor = max(1, SHOWN // max(rgb.shape[:2]))
    return png_bytes(rgb.repeat(factor, 0).repeat(factor, 1))


def error_map(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Ten times the absolute difference, the mean of the three colours, as a grey picture."""
    difference = np.abs(a.astype(np.int16) - b.astype(np.int16)).mean(2, keepdims=True)
    return np.clip(ERROR_GAIN * difference, 0, 255).astype(np.uint8).repeat(3, 2)


def show(rgb: np.ndarray, caption: str, alt: str) -> None:
    st.image(enlarged(rgb), caption=caption, alt=alt, width="stretch", output_format="PNG")


def crop_from_address() -> Crop:
    """The crop's centre from `?at=x,y`, or the middle."""
    try:
        x, y = (float(part) for part in st.query_params.get("at", "").split(","))
    except ValueError:
        return Crop()
    return Crop(min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)) if x == x and y == y else Crop()


def remember_crop(x: float, y: float) -> None:
    st.query_params["at"] = f"{x:.3f},{y:.3f}"
