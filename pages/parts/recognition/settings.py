"""What classifiers and segmenters share of the sidebar and of the panels."""

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from pages.parts.figures import charts
from pages.parts.super_resolution.sidebar import (
    CRITERION_TITLES,
    METHOD_TITLES,
    choose_method,
    choose_numbers,
)
from quantlib.evaluation.ledger import Ledger
from quantlib.ptq import Settings
from quantlib.tasks.recognition import METHODS

CRITERIA = tuple(criterion for criterion in CRITERION_TITLES if criterion != "greedy")
CHART_HEIGHT = 330


def choose_settings(ranked_on: str) -> Settings:
    """The sidebar's method and its numbers; greedy search is left to the command line."""
    return Settings(**choose_numbers(choose_method(METHODS), CRITERIA, ranked_on))


def compared(settings: Settings) -> list[Settings]:
    """What stands side by side: FP32, direct quantization at the same bits, and the choice."""
    direct = replace(Settings("direct"), bits=settings.bits)
    wanted = [Settings("fp32"), direct, settings]
    return wanted[:1] if settings.method == "fp32" else list(dict.fromkeys(wanted))


def size_of(ledger: Ledger) -> str:
    """How large the activations are, in words."""
    return (
        f"{ledger.bits_per_activation:.2f} bits per activation, "
        f"{ledger.ratio:.1f} times smaller than FP32"
    )


def show_ledgers(ledgers: Mapping[Settings, Ledger], quality: Mapping[Settings, str]) -> None:
    """Bytes of the activations under each of the settings, and how good the answers are."""
    st.markdown("**What it saves**")
    rows = {title_of(settings): ledger.total for settings, ledger in ledgers.items()}
    charts.draw(
        charts.memory_bars(rows, CHART_HEIGHT), "Bytes of the activations by method", "memory"
    )
    bits = ", ".join(
        f"{title_of(settings)} {ledger.bits_per_activation:.2f} ({quality[settings]})"
        for settings, ledger in ledgers.items()
    )
    st.caption(
        "Bytes of the inputs of all layers but the first and the last: the length of what would "
        f"be stored, tables and headers included. Bits per activation: {bits}."
    )


def title_of(settings: Settings) -> str:
    """
    >>> title_of(Settings("direct", bits=3)), title_of(Settings("dqa", bits=3))
    ('Direct 3 bit', 'DQA')
    """
    bits = f" {settings.bits} bit" if settings.method == "direct" else ""
    return METHOD_TITLES[settings.method] + bits
