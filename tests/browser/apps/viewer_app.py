"""A viewer over generated pictures, as a line of JSON asks for it, and what it reports."""

import json
from dataclasses import replace

import streamlit as st

from pages.parts.figures.viewer import Pane, View, clicked_point, reported_view, viewer
from quantlib.imaging.reading import png_bytes
from tests.browser.apps.pictures import ALT, NAMES, noise

asked = json.loads(st.text_input("Asked for") or "{}")
if not asked:
    st.stop()
key = f"viewer-{asked['number']}"
state = st.session_state.setdefault(f"of {key}", {"series": asked.get("series", 0), "run": 0})
state["run"] += 1


def another_series() -> None:
    state["series"] += 1


def remember_point() -> None:
    state["point"] = clicked_point(key)


def remember_view() -> None:
    state["view"] = reported_view(key)


def pane(number: int) -> Pane:
    rgb = noise(number, state["series"], asked["height"], asked["width"])
    return Pane(NAMES[number], png_bytes(rgb), 30.0 + number, 0.9, 2048 * number, 0.25)


with st.container(horizontal=True):
    st.text(f"viewer {asked['number']} run {state['run']}")
    st.text(f"point: {state.get('point')}")
    st.button("Other pictures", on_click=another_series)
    mark = (0.25, 0.5, 0.5, 0.75) if st.toggle("Mark", key=f"mark {key}") else None
    other = st.toggle("Other view", key=f"view {key}")
view = View(mode=asked.get("mode", "side"))
viewer(
    [pane(number) for number in range(asked["panes"])],
    key=key,
    alt=ALT,
    view=replace(view, zoom=8.0, x=0.25, y=0.25) if other else view,
    mark=mark,
    max_height=asked.get("most", 640),
    on_click=remember_point,
    on_view=remember_view if "report" in asked else None,
)
st.text(f"view: {state.get('view')}")
