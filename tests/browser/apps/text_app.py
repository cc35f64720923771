"""Texts that would be links, pictures or formatting, each as what somebody else wrote."""

import streamlit as st

from pages.parts.shared.as_text import as_text

PICTURE = "![licence](http://127.0.0.1:9/licence.png)"
TEXTS = [
    PICTURE,
    f"mit {PICTURE} `code` <img src=http://127.0.0.1:9/x.png>",
    f"mit\n\n# Title\n\n{PICTURE}",
    "[a link](http://127.0.0.1:9/)",
    "[ref]: http://127.0.0.1:9/ 'x'\n\n![ref]",
    "\\![x](http://127.0.0.1:9/x.png)",
    "\\\\![x](http://127.0.0.1:9/x.png)",
    "**bold** ~~gone~~ $x$ :red[red] | a | b |",
]

if __name__ == "__main__":
    for number, text in enumerate(TEXTS):
        with st.container(key=f"text{number}"):
            st.caption(as_text(text))
    with st.container(key="rendered"):
        st.caption(PICTURE)
