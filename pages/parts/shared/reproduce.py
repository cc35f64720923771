"""The Reproduce panel: the command and the Python lines that give the same numbers."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st


def command_line(verb: str, *words: str) -> str:
    """The command that `verb` and `words` make, as a shell takes it.

    >>> command_line("classify", "--model", "my net.pth")
    "python -m quantlib classify --model 'my net.pth'"
    """
    return shlex.join(["python", "-m", "quantlib", verb, *words])


@contextmanager
def reproduce_panel() -> Iterator[None]:
    """What is drawn inside stands in the panel, at the foot of a page."""
    with st.expander("Reproduce these numbers", icon=":material/terminal:"):
        yield


def show_code(command: str | None, lines: str) -> None:
    """The whole panel, for a page whose numbers need no more."""
    with reproduce_panel():
        show_lines(command, lines)


def show_lines(command: str | None, lines: str) -> None:
    """The command, if there is one, and the Python lines."""
    if command:
        st.code(command, language="bash", wrap_lines=True)
    st.code(lines, language="python")
