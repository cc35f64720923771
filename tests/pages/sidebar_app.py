"""The workbench's sidebar and nothing else: what an address becomes there."""

import streamlit as st

from pages.parts.shared.address import arrive
from pages.parts.super_resolution.sidebar import choose

arrive("Sidebar")
st.session_state["chosen"] = choose(with_runtime=True)
