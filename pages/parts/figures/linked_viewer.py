"""A viewer whose zoom, place and arrangement are part of the address."""

from collections.abc import Callable, Sequence
from dataclasses import asdict

import streamlit as st

from pages.parts.figures.viewer import Box, Pane, View, reported_view, viewer
from pages.parts.shared.address import VIEW, forget, remember


def written(view: View, start: View) -> str:
    """What of `view` is not as it is at the `start`, for an address.

    >>> written(View(zoom=4.0, x=0.25, mode="one"), View())
    'mode_one~zoom_4~x_0.25'
    """
    before = asdict(start)
    changed = {name: value for name, value in asdict(view).items() if value != before[name]}
    return "~".join(
        f"{name}_{f'{value:.5g}' if isinstance(value, float) else value}"
        for name, value in changed.items()
    )


def read(text: str, start: View) -> View:
    """The view that `written` gave; what is none leaves the `start`.

    >>> read("mode_one~zoom_4", View()) == View(mode="one", zoom=4.0)
    True
    >>> read("zoom_-1", View()) == read("nonsense", View()) == View()
    True
    """
    found = asdict(start)
    for part in text.split("~"):
        name, _, value = part.partition("_")
        if name in found:
            try:
                found[name] = type(found[name])(value)
            except ValueError:
                continue
    return View.of(found) or start


def linked_viewer(
    panes: Sequence[Pane],
    *,
    key: str,
    alt: str,
    start: View | None = None,
    mark: Box | None = None,
    max_height: int = 640,
    on_click: Callable[[], None] | None = None,
) -> None:
    """The viewer, as it begins at `start` or where the address says.

    A change of the view draws nothing else anew; a click for `on_click` does.
    """
    begins = start or View()
    clicked, opened = f"clicked {key}", f"opened {key}"
    if key not in st.session_state:  # it was not on the page before
        st.session_state[opened] = read(st.query_params.get(VIEW, ""), begins)

    def note_view() -> None:
        view = reported_view(key)
        text = written(view, begins) if view else ""
        remember(VIEW, text) if text else forget(VIEW)

    def note_click() -> None:
        assert on_click is not None
        on_click()
        st.session_state[clicked] = True

    @st.fragment
    def show() -> None:
        viewer(
            panes,
            key=key,
            alt=alt,
            view=st.session_state[opened],
            mark=mark,
            max_height=max_height,
            on_click=note_click if on_click else None,
            on_view=note_view,
        )
        if st.session_state.pop(clicked, False):
            st.rerun()

    show()
