"""Panels side by side that go below each other where a screen is too narrow for them."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

CHART = 15  # rem: a chart in less has no room for its labels
PICTURES = 24  # rem: fewer pictures side by side than that would leave half of a screen empty


def row(count: int, key: str, least: int = CHART, border: bool = True) -> list[DeltaGenerator]:
    """`count` equally wide panels of `least` rem or more; `key` is the row's own on its page."""
    st.html(f"<style>.st-key-{key} > div {{ flex-basis: {least}rem; }}</style>")
    with st.container(horizontal=True, gap="medium", key=key):
        return [st.container(border=border) for _ in range(count)]
