"""Formulas with the numbers of the picture in them."""

import streamlit as st

from pages.parts.shared.terms import linked

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def in_words(value: float) -> str:
    """Three digits, as people write them.

    >>> in_words(0.0000244), in_words(0.31), in_words(0.0)
    ('2.44·10⁻⁵', '0.31', '0')
    """
    text = f"{value:.3g}"
    digits, _, power = text.partition("e")
    return f"{digits}·10{str(int(power)).translate(_RAISED)}" if power else text


def show_numbers(*lines: str) -> None:
    """A line each."""
    with st.container(border=True):
        st.markdown(linked("  \n".join(lines)))
