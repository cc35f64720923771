"""Run cards on a page: the conditions once, and what differs from run to run."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from quantlib.training.super_resolution.runcard import RunCard, agreed

TITLES = {
    "ema": "moving average (EMA)",
    "full_weight": "weight of the full depth in the joint loss",
    "half_weight": "weight of the half depth in the joint loss",
    "alone": "one depth trained alone",
    "k": "RLQ's softness k of φ",
    "use_shift": "RLQ's shift τ",
    "learn_step": "RLQ's learned step",
    "gate": "DDTB's gate",
    "keep_scale": "DoReFa's and PACT's weights keep their scale",
}
SWITCHES_OF = {
    "k": {"rlq"},
    "use_shift": {"rlq"},
    "learn_step": {"rlq"},
    "gate": {"ddtb"},
    "keep_scale": {"dorefa", "pact"},
}


def show_cards(cards: Mapping[str, RunCard]) -> None:
    """All lines of all cards, each condition that all share written once."""
    shared = agreed(list(cards.values()))
    with st.expander("Run cards: the conditions, and what differs", icon=":material/fact_check:"):
        st.markdown(f"The same in all {len(cards)} runs:" if len(cards) > 1 else "One run:")
        show_lines(shared)
        varied = [line for line in RunCard.__dataclass_fields__ if line not in shared]
        if varied:
            st.markdown("What differs:")
            st.dataframe(
                [
                    {"run": name, **{said(line): cell(card, line) for line in varied}}
                    for name, card in cards.items()
                ],
                hide_index=True,
            )


def show_lines(lines: Mapping[str, Any]) -> None:
    """A card's lines as a table of two columns."""
    st.table(
        [{"line": said(name), "value": in_words(value)} for name, value in lines.items()],
        hide_index=True,
    )


def said(line: str) -> str:
    """A line's name for people.

    >>> said("learning_rate"), said("k")
    ('learning rate', "RLQ's softness k of φ")
    """
    return TITLES.get(line, line.replace("_", " "))


def cell(card: RunCard, line: str) -> str:
    """A line's value, or a dash where it is a switch of another method."""
    of_another = card.method not in SWITCHES_OF.get(line, {card.method})
    return "–" if of_another else in_words(getattr(card, line))


def in_words(value: Any) -> str:
    """A line's value for people.

    >>> in_words(True), in_words(0.0003), in_words({"torch": "2.15"}), in_words("")
    ('yes', '0.0003', 'torch 2.15', 'none')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {in_words(item)}" for name, item in value.items())
    return str(value) or "none"
