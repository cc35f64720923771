"""Columns that a person adds and removes one by one; they stand in the address."""

from collections.abc import Sequence

import streamlit as st

from pages.parts.figures.viewer import MAX_PANES
from pages.parts.shared.terms import caption
from pages.parts.super_resolution.column import Column, read, titles_of, written
from pages.parts.super_resolution.series import full_precision
from pages.parts.super_resolution.sidebar import Choices

TITLE, KEY = "One by one", "columns"
PRESET = "preset"  # the key under which the page asks for one, or for these


def put(columns: Sequence[Column]) -> None:
    """Makes these the columns; for a callback."""
    st.query_params[KEY] = written(columns)


def go_on_with(columns: Sequence[Column]) -> None:
    """Leaves a preset with what it shows, to be changed one by one; for a callback."""
    put(columns)
    st.session_state[PRESET] = TITLE


def chosen_columns(choices: Choices) -> list[Column]:
    """The columns in the address, full precision where there are none, with what changes them."""
    columns, unreadable = read(st.query_params.get(KEY, ""))
    if unreadable:
        st.warning(
            f"{_in_words(unreadable)} of the address cannot be read and is left out; add it again "
            "from the sidebar."
        )
    if len(columns) > MAX_PANES:
        st.warning(f"There is room for {MAX_PANES} columns; those after them are left out.")
    columns = columns[:MAX_PANES]
    columns = columns or [Column(choices.network.name, full_precision(choices))]
    new = Column(choices.network.name, choices.settings)
    with st.container(horizontal=True, vertical_alignment="center"):
        for number, title in enumerate(titles_of(columns)):
            st.button(
                title,
                icon=":material/close:",
                help="Remove this column",
                key=f"remove {number}",
                on_click=put,
                args=(columns[:number] + columns[number + 1 :],),
                disabled=len(columns) == 1,
            )
        st.button(
            f"Add {new.settings.summary}",
            icon=":material/add:",
            type="primary",
            key="add column",
            on_click=put,
            args=([*columns, new],),
            disabled=new in columns or len(columns) == MAX_PANES,
        )
    caption(_what_to_do(columns, new))
    return columns


def _what_to_do(columns: Sequence[Column], new: Column) -> str:
    if len(columns) == MAX_PANES:
        return f"All {MAX_PANES} columns are taken: remove one to add another."
    if new in columns:
        return (
            "Choose a network, a method with its settings, bits or a depth in the sidebar, and add "
            "it as the next column."
        )
    return "What is added is what the sidebar shows. The address holds all columns."


def _in_words(count: int) -> str:
    return "One column" if count == 1 else f"A part of {count} columns"
