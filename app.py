"""The router of Bitlens."""

import streamlit as st

st.navigation(
    [
        st.Page(
            "pages/workbench.py",
            title="Workbench",
            icon=":material/compare:",
            default=True,
            help="One picture through one network: what matters, what is lost, what is saved.",
        ),
        st.Page(
            "pages/importance.py",
            title="Importance",
            icon=":material/grid_view:",
            help="Which channels matter, by which criterion, and one of them step by step.",
        ),
        st.Page(
            "pages/memory.py",
            title="Memory",
            icon=":material/memory:",
            help="Quality against measured bytes, over bits, extra bits and important ratio.",
        ),
    ],
    position="top",
).run()
