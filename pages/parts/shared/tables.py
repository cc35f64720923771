"""Tables whose cells stay on one line, so that a narrow screen scrolls instead of breaking them."""

from collections.abc import Mapping, Sequence

import streamlit as st

_UNBROKEN = str.maketrans({" ": "\N{NO-BREAK SPACE}", "-": "\N{NON-BREAKING HYPHEN}"})


def show_table(rows: Sequence[Mapping[str, str]], alt: str) -> None:
    """Each row maps the same headings to its cells."""
    st.table(
        [{k: unbroken(cell) for k, cell in row.items()} for row in rows], hide_index=True, alt=alt
    )


def unbroken(text: str) -> str:
    return text.translate(_UNBROKEN)
