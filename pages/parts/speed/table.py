"""All figures of every form, as a table and as a file."""

import csv
import io
from collections.abc import Sequence

import streamlit as st

from pages.parts.shared.references import NOTHING
from pages.parts.shared.tables import show_table
from pages.parts.shared.terms import caption
from pages.parts.speed.choosing import Race
from pages.parts.speed.machine import machine
from quantlib.tasks.ways import Cost


def show_costs(race: Race, costs: Sequence[Cost]) -> None:
    """A row for every form, and why a form is missing."""
    reference = costs[0].median
    show_table([_row(cost, reference) for cost in costs if cost.seconds], "Time, memory and bytes")
    caption(
        "Held at once: all tensors and arrays at the busiest moment of the pass, weights apart; "
        "ONNX Runtime does not tell. File: the weights as they are stored."
    )
    for cost in costs:
        if cost.why_not:
            caption(f"{cost.title} in {cost.engine}: {cost.why_not}")
    st.download_button(
        "Download all figures as CSV",
        as_csv(race, costs),
        f"bitlens-speed-{race.network.name.split(':')[-1]}-{race.side}.csv",
        "text/csv",
        icon=":material/download:",
    )


def _row(cost: Cost, reference: float) -> dict[str, str]:
    return {
        "form": cost.title,
        "engine": cost.engine,
        "time": f"{1000 * cost.median:,.1f} ± {1000 * cost.spread:,.1f} ms",
        "against FP32": f"{reference / cost.median:.2f} ×",
        "held at once": f"{cost.held / 2**20:,.1f} MiB" if cost.held is not None else NOTHING,
        "file": f"{cost.file / 1024:,.0f} KiB" if cost.file else NOTHING,
        "PSNR": f"{cost.psnr_y:.2f} dB" if cost.psnr_y is not None else NOTHING,
    }


def as_csv(race: Race, costs: Sequence[Cost]) -> str:
    """Every figure without rounding, with the conditions in each row."""
    text = io.StringIO()
    names = ("form", "engine", "median_seconds", "spread_seconds", "held_bytes", "file_bytes")
    conditions = ("network", "learned", "side", "rounds", "machine")
    rows = csv.writer(text)
    rows.writerow([*names, "psnr_y", *(costs[0].shares), *conditions, "why_not"])
    here = race.network.name, race.learned or "", race.side, race.rounds, machine()
    for cost in costs:
        figures = (cost.median, cost.spread, cost.held, cost.file) if cost.seconds else ("",) * 4
        shares = [cost.shares.get(name, "") for name in costs[0].shares]
        rows.writerow(
            [cost.title, cost.engine, *figures, cost.psnr_y, *shares, *here, cost.why_not]
        )
    return text.getvalue()
