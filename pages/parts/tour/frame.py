"""What all stops of the tour look like: the way through, the question, the numbers."""

import streamlit as st

from pages.parts.shared.address import opened_with
from pages.parts.shared.lecture import in_lecture
from pages.parts.shared.page_links import STOP, way_to
from pages.parts.shared.row import PICTURES, row
from pages.parts.shared.terms import caption, linked
from pages.parts.tour.reproduce import show_stop_reproduce
from pages.parts.tour.scene import Scene, chosen_scene
from pages.parts.tour.stop import Stop


def choose_stop(last: int) -> int:
    """The number of the stop, from 1 to `last`; the address holds it."""

    def go(by: int) -> None:
        _ask_anew()
        st.session_state[STOP] = min(max(st.session_state[STOP] + by, 1), last)

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        back = st.container(width="content")
        number = st.segmented_control(
            "Stop",
            range(1, last + 1),
            default=1,
            required=True,
            key="stop",
            bind="query-params",
            label_visibility="collapsed",
            on_change=_ask_anew,
        )
        back.button(
            "Back",
            icon=":material/chevron_left:",
            on_click=go,
            args=(-1,),
            disabled=number == 1,
            shortcut="PageUp" if in_lecture() else None,
            key="back",
        )
        st.button(
            "Next",
            icon=":material/chevron_right:",
            on_click=go,
            args=(1,),
            disabled=number == last,
            type="primary",
            shortcut="PageDown" if in_lecture() else None,
            key="next",
        )
        st.toggle(
            "Lecture mode",
            key="lecture",
            bind="query-params",
            help="Large text, no sidebar, Page Up and Page Down for the stops. It goes along to "
            "the other pages.",
        )
    _tell_of_the_address(number, last)
    return number


def _ask_anew() -> None:
    st.session_state["shown"] = False


def _tell_of_the_address(number: int, last: int) -> None:
    asked = opened_with(STOP)
    known = {str(one) for one in range(1, last + 1)}
    if asked and asked not in known and number == 1:
        st.info(
            f"The address asks for a stop that there is not; the tour has {last}, and this is the "
            "first.",
            icon=":material/info:",
        )
    elif asked == str(number) != "1" and not any(
        st.session_state.get(_key(one)) for one in range(1, number)
    ):
        st.info(
            f"You came straight to stop {number}; it needs nothing from those before it, and the "
            "tour goes on from here.",
            icon=":material/info:",
        )


def show_stop(stop: Stop, number: int) -> None:
    """One stop: the question, and once that is answered all the rest."""
    st.subheader(f"{number}. {stop.title}", anchor=False)
    st.markdown(linked(stop.lead))
    scene = chosen_scene(stop.lacks)
    left, right = row(2, "halves", PICTURES, border=False)
    with left:
        shown = _ask(stop, number, scene)
    if shown:
        query = scene.query | dict(stop.show(scene, left, right)) | {STOP: str(number)}
        st.info(f"**To remember:** {linked(stop.remember)}", icon=":material/lightbulb:")
        way_to(stop.page, stop.full, query, ":material/open_in_full:")
    caption(f"Computed here: {scene.subject.title} through {scene.network.name}.")
    if shown:
        show_stop_reproduce(scene, stop.lines(scene))


def _key(number: int) -> str:
    return f"answer {number}"


def _ask(stop: Stop, number: int, scene: Scene) -> bool:
    """Whether what the stop shows may be seen: its question is answered, or passed over."""
    given = st.radio(
        stop.question,
        stop.options,
        index=None,
        key=_key(number),
        persist_state="session",
    )
    if given is None:
        return st.toggle(
            "Show it without a guess", key="shown", bind="query-params", help="For a lecture."
        )
    answer = stop.answer(scene)
    right = stop.options[answer.right]
    if given == right:
        st.success(f"Right. {answer.because}", icon=":material/check:")
    else:
        st.warning(f"It is: {right}. {answer.because}", icon=":material/close:")
    return True
