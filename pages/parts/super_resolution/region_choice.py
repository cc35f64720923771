"""The region of a visitor's picture that all pages look at: in the address, and on a thumbnail."""

import streamlit as st

from pages.parts.figures.region import Region
from pages.parts.figures.region_picker import picked_region, region_picker
from pages.parts.shared.notices import notice
from pages.parts.super_resolution.own_pictures import OwnPicture
from quantlib.errors import QuantlibError

PARAMETER = "region"
SIDES = (32, 48, 64, 96, 128, 192, 256)  # pixels of the network's input
_KEY, _PLACE = "region picker", "region of a picture"


def choose_region(own: OwnPicture, size: tuple[int, int], unit: int) -> Region:
    """What of `own`, of which (width, height) can be looked at, is chosen; `unit` are its pixels
    for one of the network's input.
    """

    def pick() -> None:
        if region := picked_region(_KEY):
            st.query_params[PARAMETER] = region.text

    most = SIDES[-1] * unit
    region = _asked(own, size, most) or Region.middle(*size, most)
    sides = sorted({min(side * unit, max(size)) for side in SIDES})
    name = own.picture.name
    region_picker(own.thumbnail, size, region, sides, key=_KEY, alt=name, on_pick=pick)
    return region


def _asked(own: OwnPicture, size: tuple[int, int], most: int) -> Region | None:
    """The region of the address, or of this picture on another page; another picture has none."""
    digest, text = st.session_state.get(_PLACE, (own.digest, ""))
    if digest != own.digest:
        st.query_params.pop(PARAMETER, None)
        text = ""
    text = st.query_params.get(PARAMETER, text)
    asked = Region.of(text)
    with notice():
        if asked is not None and not asked.fits(*size):
            reaches, asked = asked.text, None
            raise QuantlibError(
                f"The region {reaches} reaches beyond {own.picture.name} of {size[0]}×{size[1]} "
                "pixels; its middle is taken, so drag the rectangle to where you want to look."
            )
    st.session_state[_PLACE] = (own.digest, "" if asked is None else asked.text)
    if asked is None:
        return None
    st.query_params[PARAMETER] = asked.text
    return asked.limited(most)
