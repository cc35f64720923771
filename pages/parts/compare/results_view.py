"""The results under one lens, as far as they have come: panes, table, files."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from pages.parts.compare.blind_view import offer_test
from pages.parts.compare.files import show_files
from pages.parts.compare.one_by_one import PRESET, TITLE, go_on_with
from pages.parts.compare.table import COLUMNS, measures, rows_of
from pages.parts.figures.crops import SIDE, Crop, crop_from_address, remember_crop
from pages.parts.figures.linked_viewer import linked_viewer
from pages.parts.figures.viewer import clicked_point
from pages.parts.shared.background import EVERY, show_progress
from pages.parts.shared.notices import notice
from pages.parts.shared.sizes import why_more_bits
from pages.parts.shared.terms import caption
from pages.parts.super_resolution.comparing import Comparing, begin_again
from pages.parts.super_resolution.pictures import bicubic
from pages.parts.super_resolution.result import Result
from pages.parts.super_resolution.sidebar import Choices

CROPS = (SIDE, 2 * SIDE, 4 * SIDE)


def show_results(choices: Choices, run: Comparing) -> None:
    """What is there, and a look every second at what comes; what is done when all is there."""
    running = run.running
    st.fragment(_show, run_every=EVERY if running else None)(choices, run, running)


def _show(choices: Choices, run: Comparing, was_running: bool) -> None:
    with st.container():  # one place, so that the viewer below keeps its own, and its zoom
        _show_state(run, was_running)
    if results := run.results:
        panes = st.container()
        rows = rows_of(results)
        st.dataframe(rows, hide_index=True, column_config=COLUMNS)
        caption(measures())
        for reason in filter(None, (why_more_bits(r.settings, r.made.ledger) for r in results)):
            caption(reason)
        crop = _choose_crop(choices, results)
        with panes:
            _show_panes(choices, results, crop)
        if not was_running:
            with st.container(horizontal=True):
                show_files(choices, results, rows, crop)
            _offer_changing(results)
            offer_test(choices, results)


def _show_state(run: Comparing, was_running: bool) -> None:
    """How far the work is, and what went wrong with it."""
    if was_running:
        show_progress(run, "stop comparing", help="What is done stays.")
    elif run.error is not None:
        raise run.error
    elif not run.complete:
        caption(f"Stopped: {run.done} of {len(run.columns)} results are here.")
        if st.button("Go on", icon=":material/play_arrow:", on_click=begin_again, key="go on"):
            st.rerun()  # the whole page, which begins
    for error in run.failed.values():
        with notice():
            raise error


def _choose_crop(choices: Choices, results: Sequence[Result]) -> Crop:
    """Where a pane was clicked, or where bicubic enlargement misses most."""
    side = st.segmented_control(
        "Crop of the contact sheet, in pixels",
        CROPS,
        default=CROPS[1],
        required=True,
        key="crop",
        bind="query-params",
        help="It is outlined in the panes; a click there moves it.",
    )
    subject, scale = choices.subject, choices.network.scale
    reference = results[0].made.rgb if subject.truth is None else subject.truth
    return replace(crop_from_address(reference, bicubic(subject, scale)), side=side)


def _show_panes(choices: Choices, results: Sequence[Result], crop: Crop) -> None:
    def move_crop() -> None:
        if point := clicked_point("compare"):
            remember_crop(*point)

    linked_viewer(
        [one.pane for one in results],
        key="compare",
        alt=f"{choices.subject.title}, enlarged",
        mark=crop.fractions(*results[0].made.rgb.shape[:2]),
        on_click=move_crop,
    )


def _offer_changing(results: Sequence[Result]) -> None:
    """From a preset to columns of one's own."""
    if st.session_state.get(PRESET) == TITLE:
        return
    if st.button(
        "Change these columns one by one",
        icon=":material/edit:",
        on_click=go_on_with,
        args=([one.column for one in results],),
        key="change columns",
    ):
        st.rerun()  # the whole page, which has the columns to change
