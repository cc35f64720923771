"""Names of files, names of networks and values in an address are text, whatever they look like."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.message import Message
from streamlit.testing.v1 import AppTest

from pages.parts.shared.as_text import as_text
from tests.pages.code_of_pages import KEYS, calls, given
from tests.pages.test_nothing_is_a_path import CAT, UPLOADS, dropped
from tests.pages.test_pages import opened

MARKUP = "![x](x.png)<img src=x onerror=alert(1)>[y](javascript:alert(1)) :red[z]"
RAW = re.compile(r"\[x\]\(x|(?<!\\)<img src=x|\[y\]\(j|:red\[z")
"""What of it a page would format: what `as_text` writes has a backslash before each sign."""
PLAIN = {"code", "plotly_chart", "arrow_data_frame", "bidi_component", "file_uploader"}
"""Elements whose text is no Markdown."""
PLAIN_FIELDS = {"alt", "options", "default", "value", "raw_value", "id", "query_string", "key"}


def rendered(app: AppTest) -> Iterator[str]:
    """Every text that a page would format."""
    for block in (app.main, app.sidebar):
        for node in block:
            proto = getattr(node, "proto", None)
            if isinstance(proto, Message) and node.type not in PLAIN:
                yield from texts(proto)


def texts(message: Message) -> Iterator[str]:
    for field, value in message.ListFields():
        if field.name not in PLAIN_FIELDS:
            for one in value if isinstance(value, list) or field.is_repeated else [value]:
                yield from _texts_of(one)


def _texts_of(value: Any) -> Iterator[str]:
    if isinstance(value, Message):
        yield from texts(value)
    elif isinstance(value, str):
        yield value


def formatted(app: AppTest) -> list[str]:
    return [text for text in rendered(app) if RAW.search(text)]


def test_what_is_formatted_is_found():
    def script() -> None:
        import streamlit as st

        from tests.pages.test_markup import MARKUP

        st.caption(MARKUP)
        st.sidebar.checkbox(MARKUP)
        st.expander(MARKUP)
        st.metric("x", 1, help=MARKUP)
        st.code(MARKUP)

    assert len(formatted(AppTest.from_function(script).run())) == 4
    assert not RAW.search(as_text(MARKUP))


@pytest.mark.parametrize("page", ["workbench", "compare", "classify", "results"])
def test_values_of_an_address_are_text(page, few_points):
    """The network among them, whose name comes back in an error."""
    app = opened(page, **dict.fromkeys(KEYS, MARKUP))
    assert not app.exception
    assert not formatted(app)


@pytest.mark.parametrize("page", ["workbench", "classify"])
@pytest.mark.parametrize("name", ["{}", "builtin:{}", "hub:acme/{}", "hub:acme/net:{}.pth"])
def test_the_name_of_a_network_is_text(page, name):
    key = "network" if page == "workbench" else "classification_network"
    app = opened(page, **{key: name.format(MARKUP)})
    assert not app.exception and app.error
    assert not formatted(app)


ELSEWHERE = {f"picture on {page}" for page in ("memory", "depth", "importance")}
"""Where the same code shows the same name as on the workbench."""


@pytest.mark.parametrize("what", [what for what in UPLOADS if what not in ELSEWHERE])
def test_the_name_of_a_file_is_text(what):
    """Of one that is damaged, and of a picture."""
    suffix = UPLOADS[what][3]
    damaged = dropped(what, f"{MARKUP}{suffix}", b"damaged")
    assert not damaged.exception and damaged.error
    assert not formatted(damaged)
    if suffix == ".png":
        assert not formatted(dropped(what, f"{MARKUP}{suffix}", CAT))


def test_all_charts_are_drawn_alike_and_none_can_be_sent_away():
    from pages.parts.figures.charts import CONFIG

    (drawn,) = calls("plotly_chart")
    assert given(drawn, "config") == "CONFIG"
    assert CONFIG["displayModeBar"] is False and CONFIG["displaylogo"] is False
