"""The Hugging Face Hub, as the sidebar speaks of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import streamlit as st

from pages.parts.shared.as_text import as_text
from pages.parts.shared.terms import caption
from quantlib.errors import QuantlibError

PUBLIC = "builtin:", "hub:"
"""How the names of networks begin that are nobody's own."""


def check_name(name: str) -> None:
    """A QuantlibError where `name`, which a visitor typed, is no network's: nothing is a path."""
    if not name.startswith(PUBLIC):
        raise QuantlibError(
            f"{name} is no network's name; choose one of the list or type hub:OWNER/NAME."
        )


@contextmanager
def coming_from_hub(what: str) -> Iterator[None]:
    """Says what is waited for."""
    with st.spinner(f"{as_text(what)} from the Hugging Face Hub", show_time=True):
        yield


@st.cache_resource(ttl=timedelta(minutes=5), show_spinner=False)  # a text would need pandas
def hub_is_reachable() -> bool:
    from quantlib.models.hub import hub_reachable  # slow to import

    return hub_reachable()


def show_hub_state() -> None:
    """One line when the Hub cannot be reached."""
    if not hub_is_reachable():
        caption(
            ":material/cloud_off: The Hugging Face Hub cannot be reached; "
            "everything works with the bundled networks."
        )
