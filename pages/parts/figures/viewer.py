"""The viewer: up to six pictures of one scene under one zoom, to the pixel."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

import streamlit as st
from streamlit.components.v2 import component
from streamlit.runtime import get_instance

from quantlib.shipped import ASSETS

Point = tuple[float, float]
Box = tuple[float, float, float, float]
Mode = Literal["side", "one", "split"]
Difference = Literal["off", "absolute", "signed"]

MAX_PANES = 6
GAINS = (1, 2, 5, 10, 20, 50)

_ASSETS = ASSETS / "viewer"
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

# A component takes one script. Each of these holds one idea, and uses only what stands before it.
_SCRIPTS = ("viewport", "pictures", "difference", "gestures", "panes", "loupe", "viewer")

_viewer = component(
    "bitlens_viewer",
    html=(_ASSETS / "viewer.html").read_text("utf-8"),
    css=(_ASSETS / "viewer.css").read_text("utf-8"),
    js="\n".join((_ASSETS / f"{name}.js").read_text("utf-8") for name in _SCRIPTS),
)


@dataclass(frozen=True)
class Pane:
    """A picture as PNG data with its name and what is known of it: dB, SSIM, bytes, seconds."""

    name: str
    png: bytes
    psnr: float | None = None
    ssim: float | None = None
    size: int | None = None
    seconds: float | None = None

    @property
    def facts(self) -> tuple[str, ...]:
        """
        >>> Pane("4 bits", b"", psnr=32.784, size=24_576).facts
        ('32.78 dB', '24 KiB')
        """
        known = (
            (self.psnr, "{:.2f} dB"),
            (self.ssim, "SSIM {:.4f}"),
            (None if self.size is None else self.size / 1024, "{:,.0f} KiB"),
            (self.seconds, "{:.2f} s"),
        )
        return tuple(form.format(value) for value, form in known if value is not None)


@dataclass(frozen=True)
class View:
    """What a viewer shows of its panes.

    `zoom` is in device pixels for a pixel of the picture, 0 for the zoom that fits; the centre
    (x, y) and the divider are fractions of the picture and of the pane. `shown` is the pane seen
    alone, `left` and `right` are those beside the divider; differences are to `reference`.

    >>> View.of(asdict(View(mode="split", zoom=4.0))).zoom
    4.0
    >>> View.of({"mode": "upside down"}) is None
    True
    """

    mode: Mode = "side"
    zoom: float = 0.0
    x: float = 0.5
    y: float = 0.5
    shown: int = 0
    left: int = 0
    right: int = 1
    divider: float = 0.5
    difference: Difference = "off"
    gain: int = 10
    reference: int = 0

    @classmethod
    def of(cls, value: Any) -> "View | None":
        """Takes what a browser sent for a view; anything that is none is None."""
        names = {field.name for field in fields(cls)}
        if not isinstance(value, dict) or value.keys() != names:
            return None
        sound = (
            value["mode"] in get_args(Mode)
            and value["difference"] in get_args(Difference)
            and value["gain"] in GAINS
            and _is_number(value["zoom"], 64)
            and all(_is_number(value[name], 1) for name in ("x", "y", "divider"))
            and all(
                type(value[name]) is int and value[name] in range(MAX_PANES)
                for name in ("shown", "left", "right", "reference")
            )
        )
        return cls(**value) if sound else None


def viewer(
    panes: Sequence[Pane],
    *,
    key: str,
    alt: str,
    view: View | None = None,
    mark: Box | None = None,
    max_height: int = 640,
    on_click: Callable[[], None] | None = None,
    on_view: Callable[[], None] | None = None,
) -> View | None:
    """Shows one to six pictures of one size and returns the view that was last reported.

    The pictures reach the browser byte for byte, and once, however often the script runs.
    `view` is where the viewer starts, and where it goes when another one is given; in between it is
    the visitor's. `mark` (x0, y0, x1, y1) outlines a part, in fractions from the top left corner.
    `max_height` of the panes is in CSS pixels. With `on_click` a click without a drag reruns the
    script, and `clicked_point(key)` holds the point; with `on_view` so does a view that has come
    to rest, and `reported_view(key)` holds it. Otherwise nothing that is done here runs the script.
    """
    if not 1 <= len(panes) <= MAX_PANES:
        raise ValueError(f"The viewer shows one to {MAX_PANES} panes, not {len(panes)}.")
    sizes = {_png_size(pane.png) for pane in panes}
    if len(sizes) > 1:
        raise ValueError(f"The viewer shows pictures of one size, not of {sorted(sizes)}.")
    ((width, height),) = sizes
    result = _viewer(
        key=key,
        data={
            "panes": [
                {
                    "name": pane.name,
                    "facts": pane.facts,
                    "url": _served(pane.png, f"{key}-{number}"),
                }
                for number, pane in enumerate(panes)
            ],
            "alt": alt,
            "width": width,
            "height": height,
            "view": asdict(view or View()),
            "mark": mark,
            "max_height": max_height,
            "clickable": on_click is not None,
            "report": on_view is not None,
        },
        on_clicked_change=on_click or _nothing,
        on_view_change=on_view or _nothing,
    )
    return View.of(result.view)


def clicked_point(key: str) -> Point | None:
    """The point clicked in the viewer `key`, for use inside its `on_click`."""
    match st.session_state.get(key, {}).get("clicked"):
        case [x, y] if _is_number(x, 1) and _is_number(y, 1):
            return float(x), float(y)
    return None


def reported_view(key: str) -> View | None:
    """The view that the viewer `key` reported, for use inside its `on_view`."""
    return View.of(st.session_state.get(key, {}).get("view"))


def _nothing() -> None: ...


def _is_number(value: Any, most: float) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and 0 <= value <= most


def _png_size(png: bytes) -> tuple[int, int]:
    if not png.startswith(_PNG_SIGNATURE):
        raise ValueError("The viewer takes PNG data only, so that no pixel changes.")
    return int.from_bytes(png[16:20]), int.from_bytes(png[20:24])


def _served(png: bytes, place: str) -> str:
    """Where the browser finds the data: an address that is the same for the same bytes."""
    return get_instance().media_file_mgr.add(png, "image/png", place)
