"""What else takes as many bytes as the chosen settings, and which of them keeps most."""

from collections.abc import Sequence

import streamlit as st

from pages.parts.shared.background import EVERY, show_progress
from pages.parts.shared.terms import caption
from pages.parts.super_resolution.column import Column
from pages.parts.super_resolution.comparing import Comparing, begin, begun
from pages.parts.super_resolution.result import Result
from pages.parts.super_resolution.series import as_it_begins
from pages.parts.super_resolution.sidebar import Choices
from quantlib.ptq import methods
from quantlib.tasks.super_resolution import Measurement

KEY, ASKED = "beside", "compare at equal bytes"
COMPARED = (methods.DIRECT, methods.DQA, methods.ENTROPY)
REST = 1.0  # seconds without a change before it begins
QUICK = 24e6  # quantized activations of a pass; with more it begins when it is asked for
EQUAL = 1.01  # times the bytes, which whole bits and hundredths of a ratio can miss


def results_beside(choices: Choices) -> list[Result]:
    """What is known so far of the others at as many bytes."""
    run = begun(_prepared(choices), KEY)
    return run.results if run else []


def begin_beside(choices: Choices, result: Measurement) -> None:
    """Measures the others beside the page, with what can be said of it meanwhile."""
    if not _columns(choices):
        return
    run = begun(_prepared(choices), KEY)
    if run is None:
        many = result.ledger.total.fp32 / 4 > QUICK
        if many and not st.button(
            "Compare at equal bytes",
            icon=":material/balance:",
            help="Other methods, fitted to as many bytes: with this network and picture it takes "
            "more than some seconds.",
            key=ASKED,
        ):
            return
        run = begin(_prepared(choices, rest=0.0 if many else REST), KEY)
    running = run.running
    st.fragment(_show, run_every=EVERY if running else None)(run, running)


def verdict(choices: Choices, result: Measurement, others: Sequence[Result]) -> str:
    """Which method keeps most at as many bytes, and by how much; empty where that is not known."""
    bytes_at_most = EQUAL * result.ledger.total.total
    equal = [one for one in others if one.made.ledger.total.total <= bytes_at_most]
    if result.psnr_y is None or not equal:
        return ""
    first = max(equal, key=_quality)
    gain = _quality(first) - result.psnr_y
    noun = first.settings.entry.noun
    if gain >= 0.005:
        return f"With as many bytes {noun} keeps {_quality(first):.2f} dB, {gain:.2f} dB more."
    chosen = choices.settings.entry.noun
    return f"With as many bytes nothing here keeps more; {noun} is {-gain:.2f} dB below {chosen}."


def _quality(result: Result) -> float:
    return result.made.psnr_y or 0.0


def _show(run: Comparing, was_running: bool) -> None:
    if was_running:
        show_progress(run, "stop beside", help="What is done stays.")
    elif run.error is not None:
        raise run.error
    elif not run.complete:
        caption(f"At equal bytes: stopped, {run.done} of {len(run.columns)} are here.")
    else:
        caption(
            "At equal bytes: the budget and the ratio are fitted to this picture; whole bits come "
            "as near as they can."
        )


def _columns(choices: Choices) -> list[Column]:
    chosen = choices.settings
    if not chosen.entry.quantizes:
        return []
    others = [entry for entry in COMPARED if entry is not chosen.entry]
    begun = [as_it_begins(choices, entry, chosen.bits) for entry in others]
    return [Column(choices.network.name, one, like=chosen) for one in begun]


def _prepared(choices: Choices, rest: float = 0.0) -> Comparing:
    network = choices.network
    return Comparing(choices.subject, {network.name: network}, _columns(choices), rest)
