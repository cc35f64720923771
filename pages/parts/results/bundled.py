"""The bundled networks by their cards: what was measured here, and how they were trained."""

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.parts.results.comparison import benchmark_title
from pages.parts.results.run_cards import show_lines
from pages.parts.shared.reproduce import show_code
from pages.parts.shared.tables import show_table
from quantlib.models.catalogue import WEIGHTS_FOLDER, bundled

Card = Mapping[str, Any]
FULL = "full"


def cards() -> dict[str, Card]:
    """The cards of the bundled networks by the name that loads them; FP32 first."""
    found = {entry.name: card_of(entry.name) or {} for entry in bundled()}
    return dict(sorted(found.items(), key=lambda item: (item[1]["scale"], -bits_of(item[1]))))


def card_of(name: str) -> Card | None:
    """The card of `builtin:NAME`, if there is one."""
    file = WEIGHTS_FOLDER / f"{name.removeprefix('builtin:')}.json"
    if not name.startswith("builtin:") or not file.is_file():
        return None
    return json.loads(file.read_text("utf-8"))


def bits_of(card: Card) -> int:
    """Bits of the quantized layers; 32 for a network in full precision."""
    training = card.get("training") or {}
    return training["activation_bits"] if is_quantized(card) else 32


def is_quantized(card: Card) -> bool:
    return (card.get("training") or {}).get("method", "") not in ("", "fp32")


def scores(card: Card) -> dict[str, Mapping[str, float]]:
    """Measured PSNR by benchmark, for each depth that was trained."""
    return card.get("depths") or {FULL: card.get("psnr_y") or {}}


def twin_of(card: Card, among: Mapping[str, Card]) -> Card | None:
    """The full-precision network of the same architecture, scale and width."""
    for other in among.values():
        if _kind(other) == _kind(card) and not is_quantized(other):
            return other
    return None


def _kind(card: Card) -> tuple[Any, ...]:
    return card["architecture"], card["scale"], (card.get("training") or {}).get("features")


def rows_of(found: Mapping[str, Card]) -> list[dict[str, str]]:
    """A row per network and depth, for the table."""
    benchmarks = list(
        dict.fromkeys(b for card in found.values() for s in scores(card).values() for b in s)
    )
    rows = []
    for network, card in found.items():
        bits = bits_of(card)
        twin = twin_of(card, found) if is_quantized(card) else None
        for depth, psnr in scores(card).items():
            row = {"network": network.removeprefix("builtin:")}
            row |= {"bits": f"W{bits}A{bits}" if is_quantized(card) else "FP32", "depth": depth}
            for name in benchmarks:
                title = f"{benchmark_title(name)} in dB, measured here"
                row[title] = f"{psnr[name]:.2f}" if name in psnr else "–"
                against = ((twin or {}).get("psnr_y") or {}).get(name)
                if name in psnr and against is not None:
                    row[title] += f" ({psnr[name] - against:+.2f})"
            rows.append({**row, "file": f"{card['bytes'] / 1024:,.0f} KiB"})
    return rows


def show_bundled() -> None:
    found = cards()
    st.subheader(f"{len(found)} bundled networks, each as its card says", anchor=False)
    show_table(rows_of(found), "PSNR of the bundled networks, measured here")
    st.caption(
        "In brackets: the difference from the bundled full-precision network of the same "
        "architecture, scale and width. All depths of one network are in one file; its size is "
        "the whole file's, full-precision layers included. Each was trained once, with one seed."
    )
    for name, card in found.items():
        training = dict(card.get("training") or {})
        with st.expander(f"Run card of {name}", icon=":material/fact_check:"):
            show_lines({"parameters": f"{card['parameters']:,}", **training})
    chosen = st.selectbox("Network to measure again", list(found), key="card", bind="query-params")
    show_code(*reproduction(chosen, found[chosen]))


def reproduction(name: str, card: Card) -> tuple[str, str]:
    """The command that measures the network on Set5, and Python lines that print its card."""
    scale = card["scale"]
    command = (
        f"python -m quantlib evaluate --model {name} --scale {scale} "
        f"--hr set5/HR --lr set5/LR_bicubic/X{scale}"
    )
    if is_quantized(card):
        command += f" --method rlq --bits {bits_of(card)} --depth {next(iter(scores(card)))}"
    stem = name.removeprefix("builtin:")
    lines = (
        "import json\nfrom pathlib import Path\n\n"
        f'card = json.loads(Path("assets/weights/{stem}.json").read_text())\n'
        'print(card.get("depths") or card["psnr_y"])\n'
    )
    return command, lines
