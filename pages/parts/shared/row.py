"""Panels side by side that go below each other where a screen is too narrow for them."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

LEAST = 15  # rem: a chart in less has no room for its labels


def row(count: int, key: str) -> list[DeltaGenerator]:
    """`count` panels with a border, equally wide; `key` is the row's own on its page."""
    st.html(f"<style>.st-key-{key} > div {{ flex-basis: {LEAST}rem; }}</style>")
    with st.container(horizontal=True, gap="medium", key=key):
        return [st.container(border=True) for _ in range(count)]
