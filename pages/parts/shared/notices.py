"""Mistakes become one sentence on the page, and the rest of the page stays."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from pages.parts.shared.as_text import as_text
from pages.parts.shared.drawing import drawing
from pages.parts.shared.ways import WaysOnError
from quantlib.errors import QuantlibError


class NothingYetError(QuantlibError):
    """Nothing is wrong: the page waits for what a visitor has to give."""


@contextmanager
def body(is_light: bool = False) -> Iterator[None]:
    """What a page draws, when there is room for it, with its mistakes in words."""
    with drawing(is_light), notice():
        yield


@contextmanager
def notice() -> Iterator[None]:
    """Show a QuantlibError raised inside as a notice; what comes after the block goes on."""
    try:
        yield
    except NothingYetError as prompt:
        st.info(as_text(str(prompt)), icon=":material/upload_file:")
    except QuantlibError as error:
        st.error(as_text(str(error)), icon=":material/error:")
        if isinstance(error, WaysOnError):
            _show_ways(error)


def _show_ways(error: WaysOnError) -> None:
    with st.container(horizontal=True):
        for way in error.ways:
            key = f"{way.label} after {error}"
            st.button(way.label, icon=way.icon, on_click=way.go, key=key)
