"""Terms in a text, with a dotted line below them that opens their entry of the glossary."""

import re

import streamlit as st
from streamlit.components.v2 import component

from pages.parts.shared.glossary import GLOSSARY, Term
from quantlib.shipped import ASSETS

_ASSETS = ASSETS / "terms"
_entries = component(
    "bitlens_terms",
    html=(_ASSETS / "terms.html").read_text("utf-8"),
    css=(_ASSETS / "terms.css").read_text("utf-8"),
    js=(_ASSETS / "terms.js").read_text("utf-8"),
)
BY_MARK: dict[str, Term] = {mark: term for term in GLOSSARY for mark in term.marks}
_MARKS = "|".join(map(re.escape, sorted(BY_MARK, key=len, reverse=True)))
_TOKEN = re.compile(
    r"`[^`]*`|!?\[[^\]]*\]\([^)]*\)|:[\w-]+(?:/\w+)?:|\$[^$]*\$|\\."  # what stays as it is
    rf"|(?<![\w.′/-])(?P<mark>{_MARKS})(?![\w′]|-\w)"
)


def linked(text: str) -> str:
    """Markdown in which the first mention of each term opens its entry.

    >>> linked("PSNR of r = 0.4, and PSNR again; not `PSNR`, not W4")
    '[PSNR](#term-psnr) of [r](#term-r) = 0.4, and PSNR again; not `PSNR`, not W4'
    """
    seen: set[str] = set()

    def link(found: re.Match[str]) -> str:
        mark = found["mark"]
        if mark is None or (key := BY_MARK[mark].key) in seen:
            return found[0]
        seen.add(key)
        return f"[{mark}](#term-{key})"

    return _TOKEN.sub(link, text)


def caption(text: str) -> None:
    """What stands below a figure or a choice."""
    st.caption(linked(text))


def offer_terms() -> None:
    """Has the links of `linked` open; once on every page."""
    entries = {term.key: {"title": term.title, "text": term.text} for term in GLOSSARY}
    _entries(key="terms", data={"entries": entries}, height="content")
