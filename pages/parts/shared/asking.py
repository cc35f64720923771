"""A link never starts long work by itself: the visitor is asked first."""

import streamlit as st

from pages.parts.shared.address import opened_with, tidied

_AGREED = "what the visitor agreed to"


def begins_by_itself(key: str, value: str) -> bool:
    """Whether the address that the page was opened with says `value` under `key`."""
    return opened_with(key) == tidied({key: value})[key]


def ask_first(what: str, action: str) -> None:
    """Goes on once the visitor has clicked on `action`; `what` says why it takes long."""
    agreed: set[str] = st.session_state.setdefault(_AGREED, set())
    if action in agreed:
        return
    place = st.empty()
    with place.container():
        st.info(what, icon=":material/hourglass_empty:")
        if not st.button(action, icon=":material/play_arrow:", key=f"asked for {action}"):
            st.stop()
    place.empty()
    agreed.add(action)
