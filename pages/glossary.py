"""Every symbol and term of Bitlens, in plain words."""

import streamlit as st

from pages.parts.shared.glossary import GLOSSARY, Term
from pages.parts.shared.start import start_page
from pages.parts.shared.terms import caption


def entry(term: Term) -> str:
    also = f" Also {', '.join(term.also)}." if term.also else ""
    return f"**{term.title}**  \n{term.text}{also}"


start_page(
    "Glossary",
    "What stands on a dotted line anywhere in Bitlens, and what it means. Click such a word, or "
    "press Enter on it, to read its entry where you are.",
)

BY_TITLE = {term.title: term for term in sorted(GLOSSARY, key=lambda term: term.title.casefold())}
chosen = st.selectbox(
    "Find",
    list(BY_TITLE),
    index=None,
    placeholder="Type a symbol or a word",
    key="term",
    bind="query-params",
)
if chosen in BY_TITLE:
    with st.container(border=True):
        st.markdown(entry(BY_TITLE[chosen]))

st.markdown("\n\n".join(map(entry, BY_TITLE.values())))
caption(
    f"{len(GLOSSARY)} entries. PSNR, dB and the other measures say on each page how they were made."
)
