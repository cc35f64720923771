"""What classifiers and segmenters share of the sidebar and of the panels."""

from collections.abc import Mapping

import streamlit as st

from pages.parts.figures import charts
from pages.parts.shared.method import choose_method, choose_numbers
from pages.parts.shared.terms import caption
from quantlib.evaluation.ledger import Ledger
from quantlib.ptq import Settings, methods
from quantlib.ptq.criteria import CRITERIA, SEARCHED

ONE_PASS = tuple(criterion for criterion in CRITERIA if criterion != SEARCHED)
CHART_HEIGHT = 330


def choose_settings(ranked_on: str) -> Settings:
    """The sidebar's method and its numbers; greedy search is left to the command line."""
    return Settings(
        **choose_numbers(choose_method(methods.names(learned=False)), ONE_PASS, ranked_on)
    )


def compared(settings: Settings) -> list[Settings]:
    """What stands side by side: FP32, direct quantization at the same bits, and the choice."""
    full, direct = Settings(methods.FP32.name), Settings(methods.DIRECT.name, bits=settings.bits)
    return list(dict.fromkeys([full, direct, settings])) if settings.entry.quantizes else [full]


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
    caption(
        "Bytes of the inputs of all layers but the first and the last: the length of what would "
        f"be stored, tables and headers included. Bits per activation: {bits}."
    )


def title_of(settings: Settings) -> str:
    """
    >>> title_of(Settings("direct", bits=3)), title_of(Settings("dqa", bits=3))
    ('Direct 3 bit', 'DQA')
    """
    bits = f" {settings.bits} bit" if settings.entry is methods.DIRECT else ""
    return settings.entry.title + bits
