"""A page behind the guards of Bitlens whose cached value is another one each time it is made."""

import uuid

import streamlit as st

from pages.parts.server.guarding import GUARDS


@st.cache_data
def value() -> str:
    return uuid.uuid4().hex


if __name__ == "__main__":
    st.text(value())
else:
    app = st.App(__file__, middleware=GUARDS)
