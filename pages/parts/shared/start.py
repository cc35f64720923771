"""The beginning of every page: it works the same when app.py has not run."""

import atexit
import gc

import streamlit as st

from pages.parts.shared.address import arrive
from pages.parts.shared.lecture import begin_lecture
from pages.parts.shared.link import show_link
from pages.parts.shared.page_links import way_back_to_the_tour
from pages.parts.shared.take_along import offer_figures
from pages.parts.shared.terms import linked, offer_terms
from quantlib.shipped import ASSETS

TOUR = "Tour"


def start_page(title: str, lead: str) -> None:
    """Page settings, heading and one sentence that says what the page is for."""
    st.set_page_config(
        page_title=f"{title} · Bitlens", page_icon=ASSETS / "icon.svg", layout="wide"
    )
    st.logo(ASSETS / "logo.svg", icon_image=ASSETS / "icon.svg", size="large")
    arrive(title)
    st.html(ASSETS / "page" / "page.css")
    begin_lecture()
    st.title(title, anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(linked(lead), width="content")
        show_link()
        offer_figures()
        if title != TOUR:
            way_back_to_the_tour()
        offer_terms()
    _freeze_once()


@st.cache_resource(show_spinner=False)
def _freeze_once() -> None:
    freeze()
    atexit.register(gc.unfreeze)


def freeze() -> None:
    """Streamlit collects garbage after every run; without the imported modules it is no wait."""
    gc.collect()
    gc.freeze()
