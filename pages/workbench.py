"""The first screen: which channels matter, what the picture loses, what it saves."""

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.parts.figures import crops
from pages.parts.shared.notices import body
from pages.parts.shared.page_links import way_to
from pages.parts.shared.progress import results
from pages.parts.shared.row import PICTURES, row
from pages.parts.shared.sizes import size_of, why_more_bits
from pages.parts.shared.start import start_page
from pages.parts.shared.terms import caption
from pages.parts.super_resolution.adapting_view import show_adapted, show_adapting
from pages.parts.super_resolution.network_forms import ready_bits
from pages.parts.super_resolution.pictures import bicubic
from pages.parts.super_resolution.reproduce import show_reproduce
from pages.parts.super_resolution.result import Result
from pages.parts.super_resolution.sidebar import Choices, choose
from pages.parts.super_resolution.waiting import UnderWay, measurements, wait_for_long_work
from pages.parts.workbench.beside import begin_beside, results_beside, verdict
from pages.parts.workbench.compared import all_settings, full_precision, series_of
from pages.parts.workbench.integers import integer_time
from pages.parts.workbench.panels import (
    show_allocation,
    show_importance,
    show_memory,
    show_quality,
)
from pages.parts.workbench.pictures import show_crops, show_strip, show_viewer
from pages.parts.workbench.whole_view import show_whole
from quantlib.ptq import Settings
from quantlib.tasks.super_resolution import Measurement

start_page(
    "Workbench",
    "Choose a picture, a network and a method in the sidebar, and see what every bit buys.",
)
way_to("tour", "New here? The tour has ten stops of one screen each.", {}, ":material/school:")


def show(choices: Choices) -> None:
    settings = choices.settings
    if settings.entry.learned and settings.bits not in ready_bits(choices.network):
        show_adapting(choices)
        return
    first = [full_precision(choices), settings]
    with measurements(choices, first) as under_way:  # and nothing else beside them
        full, result = results(under_way, first, "Measuring")
    crop, others = crop_of(choices, full), results_beside(choices)
    below = show_result(choices, full, result, others, crop)
    with measurements(choices, all_settings(choices), is_long=True) as under_way:
        show_comparisons(choices, full, result, crop, under_way)
    with below:
        if reason := why_more_bits(settings, result.ledger):
            caption(reason)
        begin_beside(choices, result)
        caption(integer_time(choices))


def crop_of(choices: Choices, full: Measurement) -> crops.Crop:
    subject = choices.subject
    reference = full.rgb if subject.truth is None else subject.truth
    return crops.crop_from_address(reference, bicubic(subject, choices.network.scale))


def show_result(
    choices: Choices,
    full: Measurement,
    result: Measurement,
    others: Sequence[Result],
    crop: crops.Crop,
) -> DeltaGenerator:
    """Draws the sentence and the pictures; returns the place below it, for what comes later."""
    st.subheader(
        f"{sentence(choices.settings, full, result)} {verdict(choices, result, others)}",
        anchor=False,
    )
    below = st.container()
    look, details = row(2, "look", PICTURES, border=False)
    with look:
        show_viewer(choices, full, result, others, crop)
        show_whole(choices)
        show_adapted(choices)
    with details:
        show_crops(choices, full, result, others, crop)
    return below


def show_comparisons(
    choices: Choices,
    full: Measurement,
    result: Measurement,
    crop: crops.Crop,
    under_way: UnderWay,
) -> None:
    settings = choices.settings
    matters, loses, saves = row(3, "panels")
    with matters:
        if settings.entry.budgeted:
            show_allocation(choices, result)
        else:
            show_importance(choices)
    with saves:
        show_memory(choices, under_way)
    with loses:
        curve = st.container()
    strip = st.container(border=True)
    show_reproduce(choices)
    series = series_of(choices, under_way, settings) if settings.entry.quantizes else {}
    with strip:
        show_strip(series, crop)
    with curve:
        show_quality(choices, full, result, under_way, series)


def sentence(settings: Settings, full: Measurement, result: Measurement) -> str:
    """What was measured, in one sentence."""
    ledger = result.ledger
    if not settings.entry.quantizes:
        quality = "" if full.psnr_y is None else f" reaches {full.psnr_y:.2f} dB and"
        return f"FP32{quality} moves {ledger.total.total / 1024:,.0f} KiB of activations."
    size = size_of(ledger)
    if full.psnr_y is None or result.psnr_y is None:
        return f"{settings.summary} takes {size}."
    return f"{settings.summary} keeps {result.psnr_y:.2f} of {full.psnr_y:.2f} dB at {size}."


with body():
    choices = choose(with_runtime=True)
    wait_for_long_work(choices)
    show(choices)
