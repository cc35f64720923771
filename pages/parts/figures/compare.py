"""A before/after slider: two pictures of one scene, exactly superposed, with a divider to drag."""

import math
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from quantlib.shipped import ASSETS

Point = tuple[float, float]
Box = tuple[float, float, float, float]

_ASSETS = ASSETS / "compare"
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

_slider = component(
    "bitlens_compare",
    html=(_ASSETS / "compare.html").read_text("utf-8"),
    css=(_ASSETS / "compare.css").read_text("utf-8"),
    js=(_ASSETS / "compare.js").read_text("utf-8"),
)


def compare_slider(
    left_png: bytes,
    right_png: bytes,
    left_label: str,
    right_label: str,
    alt: str,
    key: str,
    *,
    crop: Box | None = None,
    max_height: int | None = None,
    on_click: Callable[[], None] | None = None,
) -> Point | None:
    """Shows the slider and returns the point that was just clicked, or None.

    The pictures are PNG data and reach the browser byte for byte. Dragging anywhere, or the arrow
    keys, Home and End, moves the divider without a rerun; a click without a drag reruns the script.
    Points and `crop` (x0, y0, x1, y1) are fractions of the picture, from its top left corner.
    `max_height` is in CSS pixels. `on_click` runs before the script does: there
    `clicked_point(key)` holds the point.
    """
    width, height = _png_size(left_png)
    result = _slider(
        key=key,
        data={
            "left": {"png": _data_url(left_png), "label": left_label},
            "right": {"png": _data_url(right_png), "label": right_label},
            "alt": alt,
            "width": width,
            "height": height,
            "max_height": max_height,
            "crop": crop,
        },
        on_clicked_change=on_click or (lambda: None),
    )
    return _point(result.clicked)


def clicked_point(key: str) -> Point | None:
    """The point clicked on the slider `key`, for use inside its `on_click`."""
    return _point(st.session_state.get(key, {}).get("clicked"))


def _point(value: Any) -> Point | None:
    """Takes what a browser sent for a point; anything else than two fractions is no point."""
    match value:
        case [int() | float() as x, int() | float() as y]:
            if all(math.isfinite(v) and 0 <= v <= 1 for v in (x, y)):
                return float(x), float(y)
    return None


def _png_size(png: bytes) -> tuple[int, int]:
    if not png.startswith(_PNG_SIGNATURE):
        raise ValueError("The compare slider takes PNG data only, so that no pixel changes.")
    return int.from_bytes(png[16:20]), int.from_bytes(png[20:24])


def _data_url(png: bytes) -> str:
    return "data:image/png;base64," + b64encode(png).decode("ascii")
