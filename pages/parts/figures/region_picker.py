"""A thumbnail with a rectangle to drag: which part of a picture is looked at."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import astuple

import streamlit as st
from streamlit.components.v2 import component

from pages.parts.figures.region import Region
from quantlib.shipped import ASSETS

_ASSETS = ASSETS / "region"

_picker = component(
    "bitlens_region",
    html=(_ASSETS / "region.html").read_text("utf-8"),
    css=(_ASSETS / "region.css").read_text("utf-8"),
    js=(_ASSETS / "region.js").read_text("utf-8"),
)


def region_picker(
    thumbnail: bytes,
    size: tuple[int, int],
    region: Region,
    sides: Sequence[int],
    *,
    key: str,
    alt: str,
    on_pick: Callable[[], None],
) -> None:
    """Shows `region` on a JPEG of a picture of `size`, (width, height) in its own pixels.

    A visitor moves it by mouse, touch or keys, and changes its side to another one of `sides`.
    Then `on_pick` is called, in which `picked_region(key)` is the new one.
    """
    _picker(
        key=key,
        data={
            "url": f"data:image/jpeg;base64,{b64encode(thumbnail).decode('ascii')}",
            "alt": alt,
            "width": size[0],
            "height": size[1],
            "region": astuple(region),
            "sides": list(sides),
        },
        on_picked_change=on_pick,
    )


def picked_region(key: str) -> Region | None:
    """What was picked in the picker `key`, for use inside its `on_pick`."""
    return Region.of_numbers(st.session_state.get(key, {}).get("picked"))
