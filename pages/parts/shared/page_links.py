"""Ways from one page to another, with the settings that go along."""

from collections.abc import Mapping
from urllib.parse import urlencode

import streamlit as st
from streamlit.errors import StreamlitPageNotFoundError

STOP = "stop"


def way_to(page: str, label: str, query: Mapping[str, str], icon: str, help: str = "") -> None:
    """A link to the page `page`, a file's stem; a plain one where no router knows that page."""
    try:
        st.page_link(
            f"pages/{page}.py", label=label, icon=icon, query_params=query, help=help or None
        )
    except StreamlitPageNotFoundError:
        st.link_button(label, f"{page}?{urlencode(query)}", icon=icon, help=help or None)


def way_back_to_the_tour() -> None:
    """Where the address says that a page was opened from the tour."""
    stop = st.query_params.get(STOP, "")
    if stop.isdecimal():
        way_to("tour", f"Back to the tour, stop {stop}", {STOP: stop}, ":material/arrow_back:")
