"""The bundled networks by their cards: what was measured here, and how they were trained."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.parts.results.comparison import benchmark_title
from pages.parts.results.run_cards import show_lines
from pages.parts.shared.reproduce import command_line, show_code
from pages.parts.shared.tables import show_table
from pages.parts.shared.terms import caption
from quantlib.models.card import NetworkCard
from quantlib.models.catalogue import bundled, card_of
from quantlib.ptq import Settings


def cards() -> dict[str, NetworkCard]:
    """The cards of the bundled networks by the name that loads them; FP32 first."""
    found = {entry.name: card for entry in bundled() if (card := card_of(entry.name))}
    return dict(sorted(found.items(), key=lambda item: (item[1].scale, -item[1].bits)))


def twin_of(card: NetworkCard, among: Mapping[str, NetworkCard]) -> NetworkCard | None:
    """The full-precision network of the same architecture, scale and width."""
    for other in among.values():
        if _kind(other) == _kind(card) and not other.is_quantized:
            return other
    return None


def _kind(card: NetworkCard) -> tuple[Any, ...]:
    return card.architecture, card.scale, card.training.get("features")


def rows_of(found: Mapping[str, NetworkCard]) -> list[dict[str, str]]:
    """A row per network and depth, for the table."""
    benchmarks = list(
        dict.fromkeys(b for card in found.values() for s in card.scores.values() for b in s)
    )
    rows = []
    for network, card in found.items():
        bits = card.bits
        twin = twin_of(card, found) if card.is_quantized else None
        for depth, psnr in card.scores.items():
            row = {"network": network.removeprefix("builtin:")}
            row |= {"bits": f"W{bits}A{bits}" if card.is_quantized else "FP32", "depth": depth}
            for name in benchmarks:
                title = f"{benchmark_title(name)} in dB, measured here"
                row[title] = f"{psnr[name]:.2f}" if name in psnr else "–"
                against = twin.psnr_y.get(name) if twin else None
                if name in psnr and against is not None:
                    row[title] += f" ({psnr[name] - against:+.2f})"
            rows.append({**row, "file": f"{(card.bytes or 0) / 1024:,.0f} KiB"})
    return rows


def show_bundled() -> None:
    found = cards()
    st.subheader(f"{len(found)} bundled networks, each as its card says", anchor=False)
    show_table(rows_of(found), "PSNR of the bundled networks, measured here")
    caption(
        "In brackets: the difference from the bundled full-precision network of the same "
        "architecture, scale and width. All depths of one network are in one file; its size is "
        "the whole file's, full-precision layers included. Each was trained once, with one seed."
    )
    for name, card in found.items():
        with st.expander(f"Run card of {name}", icon=":material/fact_check:"):
            show_lines({"parameters": f"{card.parameters:,}", **card.training})
    chosen = st.selectbox("Network to measure again", list(found), key="card", bind="query-params")
    show_code(*reproduction(chosen, found[chosen]))


def reproduction(name: str, card: NetworkCard) -> tuple[str, str]:
    """The command that measures the network on Set5, and Python lines that print its card."""
    scale = card.scale
    words = ["--model", name, "--scale", str(scale)]
    words += ["--hr", "set5/HR", "--lr", f"set5/LR_bicubic/X{scale}"]
    if card.is_quantized:
        words += Settings("rlq", card.bits, depth=next(iter(card.scores))).flags()
    lines = (
        "from quantlib.models.catalogue import card_of\n\n"
        f"card = card_of({name!r})\n"
        "print(card.scores)\n"
    )
    return command_line("evaluate", *words), lines
