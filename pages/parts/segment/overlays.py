"""Classes of pixels as colours over their picture, and the legend."""

import colorsys
from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st

from pages.parts.segment.scene import Scene
from pages.parts.shared.samples import UPLOAD
from pages.parts.shared.terms import caption
from quantlib.imaging.reading import png_bytes
from quantlib.ptq import Settings

GOLDEN = 0.618034
OPACITY = 0.55
DIFFERENT = (255, 122, 0)

# CamVid's eleven, in the order of its numbers, told apart in hue and in lightness.
_STREET = (
    *((126, 190, 235), (176, 74, 60), (240, 214, 90), (110, 82, 128), (214, 160, 196)),
    *((62, 140, 70), (250, 140, 60), (150, 116, 74), (40, 70, 190), (230, 40, 90), (70, 200, 190)),
)


def colours(classes: int) -> np.ndarray:
    """`uint8 (classes, 3)`, each different.

    >>> len({tuple(colour) for colour in colours(40).tolist()})
    40
    """
    more = [
        tuple(round(255 * part) for part in colorsys.hsv_to_rgb(GOLDEN * n % 1, 0.75, 0.9))
        for n in range(len(_STREET), classes)
    ]
    return np.array([*_STREET, *more][:classes], np.uint8)


def overlay(rgb: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """`uint8 (H, W, 3)` with the colour of each pixel's class over it."""
    painted = colours(classes)[labels]
    return (OPACITY * painted + (1 - OPACITY) * rgb).round().astype(np.uint8)


def difference(rgb: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The picture in pale grey, and orange where the labels `a` and `b` are not the same.

    >>> rgb, a = np.zeros((1, 2, 3), np.uint8), np.array([[0, 1]])
    >>> difference(rgb, a, np.array([[0, 2]])).tolist()
    [[[115, 115, 115], [255, 122, 0]]]
    """
    grey = rgb.mean(2, keepdims=True) * 0.45 + 115
    found = grey.round().astype(np.uint8).repeat(3, 2)
    found[a != b] = DIFFERENT
    return found


def show_legend(classes: Sequence[str], shown: Sequence[int]) -> None:
    """The colours of the classes numbered in `shown`."""
    palette = colours(len(classes))
    entries = "".join(
        '<span style="white-space:nowrap"><span style="display:inline-block;width:0.9rem;'
        f"height:0.9rem;border-radius:0.2rem;vertical-align:-0.1rem;margin-right:0.35rem;"
        f'background:rgb({",".join(map(str, palette[number]))})"></span>'
        f"{escape(classes[number])}</span>"
        for number in shown
    )
    st.html(f'<div style="display:flex;flex-wrap:wrap;gap:0.3rem 1rem">{entries}</div>')


def show_overlays(
    scene: Scene,
    settings: Settings,
    full: np.ndarray,
    result: np.ndarray,
    classes: tuple[str, ...],
) -> None:
    different = 100 * float((full != result).mean())
    panels = [
        ("FP32", overlay(scene.rgb, full, len(classes))),
        (settings.summary, overlay(scene.rgb, result, len(classes))),
        (
            f"Where they differ: {different:.2f} % of the pixels",
            difference(scene.rgb, full, result),
        ),
    ]
    for column, (title, rgb) in zip(st.columns(3, gap="small"), panels, strict=True):
        with column:
            st.image(
                png_bytes(rgb),
                caption=title,
                alt=f"{scene.title}: {title}",
                width="stretch",
                output_format="PNG",
            )
    show_legend(classes, np.union1d(full, result).tolist())
    if scene.source != UPLOAD:
        caption(
            "CamVid's classes are those of streets, and no sample photograph shows one: see here "
            "what quantization changes, not whether an answer is right. Upload a street for that."
        )
