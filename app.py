"""The router of Bitlens."""

import streamlit as st

st.navigation(
    [
        st.Page(
            "pages/workbench.py",
            title="Workbench",
            default=True,
            help="One picture through one network: what matters, what is lost, what is saved.",
        ),
        st.Page(
            "pages/importance.py",
            title="Importance",
            help="Which channels matter, by which criterion, and one of them step by step.",
        ),
        st.Page(
            "pages/memory.py",
            title="Memory",
            help="Quality against measured bytes, over bits, extra bits and important ratio.",
        ),
    ],
    position="top",
).run()
