"""A page behind the guards of Bitlens whose cached value is another one each time it is made.

It has an error where its address asks for one.
"""

import uuid

import streamlit as st

from pages.parts.server.guarding import GUARDS


@st.cache_data
def value() -> str:
    return uuid.uuid4().hex


if __name__ == "__main__":
    st.text(value())
    if "fail" in st.query_params:
        raise ArithmeticError("a secret")
else:
    app = st.App(__file__, middleware=GUARDS)
