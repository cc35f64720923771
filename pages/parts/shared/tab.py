"""The visitor's tab, which a session does not outlive: Streamlit begins another at every reload.

What was dropped is found again by a secret of 256 random bits, which the tab keeps in its
`sessionStorage`. There it is read by this app's scripts alone, survives a reload, ends with the
tab, and is not shared: an address would go along with every link, and a cookie belongs to all tabs,
goes along with every request and is refused to an app inside another page. A secret that the server
has not given out, or has forgotten, opens nothing, and is never taken over.
"""

import secrets
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from pages.parts.shared.keeping import Keep
from quantlib.shipped import ASSETS

BYTES = 32
_PLACE, _WIDGET = "secret of the tab", "tab"

_tab = component("bitlens_tab", js=(ASSETS / "tab" / "tab.js").read_text("utf-8"))


@st.cache_resource(show_spinner=False)
def keep_of_tabs() -> Keep:
    return Keep()


class Tab:
    """What one tab keeps; `remember` has to be called once in every run of a script that asks."""

    def put(self, name: str, value: Any, size: int) -> None:
        secret = st.session_state.setdefault(_PLACE, secrets.token_urlsafe(BYTES))
        keep_of_tabs().put(secret, name, value, size)

    def get(self, name: str) -> Any | None:
        secret = st.session_state.get(_PLACE)
        return None if secret is None else keep_of_tabs().get(secret, name)

    def drop(self, name: str) -> None:
        if secret := st.session_state.get(_PLACE):
            keep_of_tabs().drop(secret, name)

    def remember(self) -> None:
        """Tells the tab its secret, or asks for the one that it had before a reload."""
        secret = st.session_state.get(_PLACE)
        told = _tab(key=_WIDGET, data={"secret": secret}, on_secret_change=lambda: None).secret
        if secret is None and isinstance(told, str) and keep_of_tabs().knows(told):
            st.session_state[_PLACE] = told


TAB = Tab()
