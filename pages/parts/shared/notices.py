"""Mistakes become one sentence on the page, and the rest of the page stays."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from quantlib.errors import QuantlibError


class NothingYetError(QuantlibError):
    """Nothing is wrong: the page waits for what a visitor has to give."""


@contextmanager
def notice() -> Iterator[None]:
    """Show a QuantlibError raised inside as a notice; what comes after the block goes on."""
    try:
        yield
    except NothingYetError as prompt:
        st.info(_plain(str(prompt)), icon=":material/upload_file:")
    except QuantlibError as error:
        st.error(_plain(str(error)), icon=":material/error:")


def _plain(text: str) -> str:
    """Without the characters that Markdown would take for formatting."""
    return "".join(f"\\{c}" if c in r"\`*_[]<>$#:~" else c for c in text)
