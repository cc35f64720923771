"""A page behind the guards of Bitlens that says how long a dropped file is."""

import streamlit as st

from pages.parts.server.guarding import GUARDS

if __name__ == "__main__":
    given = st.file_uploader("A file")
    st.text(f"{given.size} bytes" if given else "nothing yet")
else:
    app = st.App(__file__, middleware=GUARDS)
