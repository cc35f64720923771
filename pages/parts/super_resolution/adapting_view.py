"""Adapt it here: the button, the progress, and the adapted network to take along."""

from weakref import WeakSet

import streamlit as st

from pages.parts.shared.background import EVERY, show_progress
from pages.parts.shared.notices import notice
from pages.parts.shared.terms import caption
from pages.parts.super_resolution.adapting import Adaptation, Key, adaptation_of, begin
from pages.parts.super_resolution.network_forms import adapted_for
from pages.parts.super_resolution.sidebar import Choices

OWN = "own adaptations"
EXPLANATION = (
    "The layers of the body learn steps, shifts and weights against the network's own "
    "full-precision output on the sample photographs; the head and the layers that enlarge stay in "
    "full precision. It takes about two minutes, and you can go on with something else meanwhile."
)


def show_adapting(choices: Choices) -> None:
    """In place of a result: what adapting does, the button, and the progress."""
    bits = choices.settings.bits
    st.subheader(f"There is no RLQ with {bits} bits for this network yet", anchor=False)
    st.markdown(EXPLANATION)
    run = adaptation_of(_key(choices))
    running = run is not None and run.running
    _button(choices, f"Adapt to W{bits}A{bits}", running)
    if run is not None and (running or run.result is not None):
        st.fragment(_show, run_every=EVERY)(run)
    elif run is not None and run.error is not None:
        with notice():
            raise run.error


def show_adapted(choices: Choices) -> None:
    """The adapted network as a file; where it was stopped early, the button once more."""
    adapted = adapted_for(choices.network, choices.settings)
    if adapted is None:
        return
    bits, file = choices.settings.bits, adapted.file
    caption(f"{adapted.coverage}.")
    st.download_button(
        "Download the adapted network",
        file.content,
        file.name,
        "application/octet-stream",
        icon=":material/download:",
        on_click="ignore",
        key="download adapted",
    )
    if not adapted.complete:
        caption(f"Stopped after step {adapted.steps}; more steps keep more.")
        _button(choices, f"Adapt to W{bits}A{bits} again", False)


def _button(choices: Choices, label: str, running: bool) -> None:
    def start() -> None:
        run = begin(_key(choices), choices.network.network)
        if run is not None:
            st.session_state.setdefault(OWN, WeakSet()).add(run)

    st.button(
        label,
        icon=":material/play_arrow:",
        type="primary",
        on_click=start,
        disabled=running,
        key="adapt",
    )


def _key(choices: Choices) -> Key:
    return choices.network.name, choices.network.sha256, choices.settings.bits


def _show(run: Adaptation) -> None:
    own = run in st.session_state.get(OWN, ())  # nobody ends what others wait for
    show_progress(run, "stop adapting", own, "The result so far is kept.")
