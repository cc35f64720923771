"""The beginning of every page: it works the same when app.py has not run."""

import streamlit as st


def start_page(title: str, icon: str, lead: str) -> None:
    """Page settings, heading and one sentence that says what the page is for."""
    st.set_page_config(page_title=f"{title} · Bitlens", page_icon=icon, layout="wide")
    st.title(title)
    st.markdown(lead)
