"""The table of colours: each means one thing, on every page, in both themes."""

import streamlit as st

from quantlib.ptq.methods import Method

TABLES, CODES, EXTRA_BITS, OWN = 6, 7, 8, 9
"""Places among the theme's categories. Those before belong to methods (`Method.colour`)."""


def is_dark() -> bool:
    return st.context.theme.type == "dark"


def theme(name: str):
    """A value of the theme in force, so that charts fit light and dark."""
    return st.get_option(f"theme.{'dark' if is_dark() else 'light'}.{name}")


def of_method(method: Method) -> str:
    """All that a method made: its curve, its points, its bars."""
    return _category(method.colour)


def codes() -> str:
    """Base codes of n bits: their bytes and their levels."""
    return _category(CODES)


def extra_bits() -> str:
    """What important channels keep beyond n bits, and the channels themselves."""
    return _category(EXTRA_BITS)


def parts() -> list[str]:
    """Bytes of codes, refinement, tables and scales."""
    return [codes(), extra_bits(), _category(TABLES), "#b09084" if is_dark() else "#8d6e63"]


def reference() -> str:
    """What others are compared with: full precision, bicubic, the identity, chance."""
    return "#7b8a94"


def own() -> str:
    """What a chart is about, where that is neither a method nor bytes."""
    return _category(OWN)


def choice() -> str:
    """The visitor's current choice among others, and what is pointed at."""
    return theme("textColor")


def importance() -> list[tuple[float, str]]:
    """Ranks of channels: shades of grey below 0.5, of `extra_bits` for important ones above.

    The higher a channel ranks, the further is its shade from the page.
    """
    if is_dark():
        return [(0.0, "#1b262d"), (0.5, "#8fa0aa"), (0.5, "#6d3c60"), (1.0, "#f3a4dc")]
    return [(0.0, "#eef1f3"), (0.5, "#84949e"), (0.5, "#dba9cd"), (1.0, "#8c2f70")]


def diverging() -> list[str]:
    """From −1 to 1."""
    return theme("chartDivergingColors")


def _category(place: int) -> str:
    colours = theme("chartCategoricalColors")
    return colours[place % len(colours)]
