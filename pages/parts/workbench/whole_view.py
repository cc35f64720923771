"""The whole picture: what it will cost, the work with its progress, and the file to take along."""

import shutil
import tempfile

import streamlit as st

from pages.parts.shared.background import EVERY, show_progress, this_visit
from pages.parts.shared.caching import shared
from pages.parts.shared.notices import notice
from pages.parts.shared.tab import TAB
from pages.parts.shared.terms import caption
from pages.parts.shared.worker import on_worker
from pages.parts.super_resolution.measuring import at_runtime, name_of
from pages.parts.super_resolution.pictures import Whole
from pages.parts.super_resolution.sidebar import Choices
from pages.parts.workbench.whole import Order, WholeRun, in_words
from quantlib.errors import QuantlibError
from quantlib.evaluation.at_hand import memory_at_hand
from quantlib.tasks.naming import result_name
from quantlib.tasks.whole_picture import Cost, as_input, check_result, cost

RUN = "whole picture"
SHARE = 0.8  # of the memory and the disk at hand that one picture may take


def show_whole(choices: Choices) -> None:
    """Of a visitor's own picture, beside the region that everything else is measured on."""
    whole = choices.subject.whole
    if whole is None:
        return
    with st.container(border=True):
        st.markdown("**The whole picture**")
        run = TAB.get(RUN)
        if run is not None:
            _show_run(run)
        with notice():
            _offer(choices, whole, run is not None and run.running)


def _show_run(run: WholeRun) -> None:
    if run.running:
        caption(f"{run.order.name} is being made.")
        st.fragment(_follow, run_every=EVERY)(run)
    elif run.error is not None:
        with notice():
            raise run.error
    elif run.file is not None:
        st.download_button(
            f"Download {run.order.name}",
            run.content,
            run.order.name,
            "image/png",
            icon=":material/download:",
            on_click="ignore",
            key="download whole",
        )


def _follow(run: WholeRun) -> None:
    TAB.get(RUN)  # what is waited for is in use
    show_progress(run, "stop enlarging")


def _offer(choices: Choices, whole: Whole, running: bool) -> None:
    scale, (height, width) = choices.network.scale, whole.picture.rgb.shape[:2]
    if whole.reduced:
        height, width = height // scale, width // scale
    check_result(scale * width, scale * height)
    size = f"{width}×{height} → {scale * width}×{scale * height} pixels"
    why = " Choose “input” to enlarge it beyond its size." if whole.reduced else ""
    named = (whole.digest, whole.reduced, *name_of(*_named(choices))[1:])
    asked = f"cost of {named}"
    if asked not in st.session_state:
        caption(f"{size}, in tiles.{why}")
        st.button(
            "How long would it take?",
            icon=":material/timer:",
            on_click=lambda: st.session_state.update({asked: True}),
            disabled=running,
            key="estimate",
        )
        return
    with st.spinner("Measuring one tile"):
        expected = _cost(named, whole, choices)
    caption(
        f"{size}, in {expected.tiles} tiles: about {in_words(expected.seconds)} and "
        f"{expected.memory / 1e6:,.0f} MB of memory, as one tile takes them here.{why}"
    )
    _check_room(expected, 3 * scale**2 * width * height)
    st.button(
        "Enlarge the whole picture",
        icon=":material/play_arrow:",
        type="primary",
        on_click=lambda: _begin(choices, whole),
        disabled=running,
        key="enlarge",
    )


def _named(choices: Choices) -> tuple:
    return choices.subject, choices.network, choices.settings, choices.runtime


@shared(megabytes=1)
def _cost(named: tuple, _whole: Whole, _choices: Choices) -> Cost:
    scale = _choices.network.scale
    given = as_input(_whole.picture, scale) if _whole.reduced else _whole.picture
    return on_worker(cost, at_runtime(*_named(_choices)[1:]), given, scale)


def _check_room(expected: Cost, largest_file: int) -> None:
    """A QuantlibError where memory or disk do not allow it."""
    left, free = memory_at_hand(), shutil.disk_usage(tempfile.gettempdir()).free
    if left is not None and expected.memory > SHARE * left:
        raise QuantlibError(
            f"That is more memory than there is at hand ({left / 1e6:,.0f} MB); try a smaller "
            "picture, or the command line on a larger machine."
        )
    if largest_file > SHARE * free:
        raise QuantlibError(
            f"The result may take {largest_file / 1e6:,.0f} MB and the server's disk has "
            f"{free / 1e6:,.0f} MB left; try a smaller picture, or the command line."
        )


def _begin(choices: Choices, whole: Whole) -> None:
    scale = choices.network.scale
    order = Order(
        result_name(whole.picture.name, scale, choices.settings),
        whole,
        lambda: at_runtime(*_named(choices)[1:]),
        scale,
    )
    TAB.put(RUN, WholeRun(order).begin(this_visit()), 4 * whole.picture.rgb.size // 3)
