"""The button that copies the address, and says what it holds."""

from collections.abc import Mapping

from streamlit.components.v2 import component

from pages.parts.shared.address import CARRIED
from quantlib.shipped import ASSETS

_ASSETS = ASSETS / "address"
_link = component(
    "bitlens_link",
    html=(_ASSETS / "address.html").read_text("utf-8"),
    css=(_ASSETS / "address.css").read_text("utf-8"),
    js=(_ASSETS / "address.js").read_text("utf-8"),
)
OTHERS = {
    "layer": "the layer",
    "channel": "the channel",
    "preset": "what is compared",
    "columns": "the columns",
    "crop": "the size of the crop",
    "region": "the region",
    "equal": "the bits all are read at",
    "every": "every m and r",
    "noisy": "NoisyQuant",
    "scene": "the picture",
    "data": "the pictures",
    "count": "how many",
    "show": "which are shown",
}


def show_link(titles: Mapping[str, str] = OTHERS) -> None:
    """`titles` of the page's own parameters; one that has none is called by its key."""
    _link(key="link", data={"titles": {**CARRIED, **titles}}, width="content")
