"""The button that offers all charts of a page as files, their conditions in them."""

from streamlit.components.v2 import component

from quantlib.shipped import ASSETS

_ASSETS = ASSETS / "take_along"
_figures = component(
    "bitlens_take_along",
    html=(_ASSETS / "take_along.html").read_text("utf-8"),
    css=(_ASSETS / "take_along.css").read_text("utf-8"),
    js=(_ASSETS / "take_along.js").read_text("utf-8"),
)

ENDINGS = ["svg", "png", "csv"]


def offer_figures() -> None:
    """SVG, PNG, CSV and the full screen, made in the browser from what it shows."""
    _figures(key="figures", data={"endings": ENDINGS}, width="content")
