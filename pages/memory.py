"""Quality against measured bytes, over bits, extra bits and important ratio."""

from dataclasses import dataclass, replace
from itertools import pairwise

import streamlit as st

from pages.parts import charts
from pages.parts.choices import CRITERION_TITLES, METHOD_TITLES, Choices, choose, nearest_bits
from pages.parts.measuring import measured, quantized
from pages.parts.notices import notice
from pages.parts.pictures import bicubic
from pages.parts.reproduce import show_reproduce
from pages.parts.start import start_page
from pages.parts.waiting import measured_all, wait_for_greedy
from pages.parts.worker import on_worker
from quantlib.evaluation.operations import count_operations
from quantlib.evaluation.quality import CONVENTION, psnr_y
from quantlib.imaging.tensors import to_tensor
from quantlib.pipeline import Measurement
from quantlib.ptq import Settings

start_page(
    "Memory",
    "Every point is a measured pass of the chosen picture: its PSNR against the bytes that "
    "all its quantized activations would be stored in.",
)

DIRECT_BITS = range(2, 9)
DQA_BITS = (2, 3, 4, 5)
EXTRA_BITS = (1, 2, 3)
RATIOS = (0.2, 0.4, 0.6, 0.8)
BUDGETS = (1.0, 1.5, 2.0, 3.0)


@dataclass(frozen=True)
class Point:
    """One measured setting."""

    settings: Settings
    bits_per_activation: float
    kib: float
    psnr_y: float

    @property
    def name(self) -> str:
        s = self.settings
        detail = f" with m = {s.extra_bits}, r = {s.important:g}" if s.method == "dqa" else ""
        return s.summary + detail

    @property
    def label(self) -> str:
        return f"{self.name}<br>{self.kib:,.0f} KiB"


def grid(choices: Choices, noisy: bool) -> list[Settings]:
    """All settings of the chart, those of the visitor's choice included."""
    chosen = choices.settings
    settings = [Settings("direct", bits=n) for n in DIRECT_BITS]
    if noisy:
        settings += [Settings("noisyquant", bits=n) for n in DIRECT_BITS]
    settings += [
        Settings("dqa", bits=n, extra_bits=m, important=r, criterion=chosen.criterion)
        for n in DQA_BITS
        for m in EXTRA_BITS
        for r in RATIOS
        if chosen.criterion != "greedy" or n == chosen.bits
    ]
    settings += [
        Settings("entropy", bits=nearest_bits(budget), bits_per_activation=budget)
        for budget in BUDGETS
    ]
    settings = [replace(one, depth=chosen.depth) for one in settings]
    return list(dict.fromkeys([*settings, chosen]))


def measure_all(choices: Choices, settings: list[Settings]) -> list[Point]:
    found = measured_all(choices, settings, "Measuring every point")
    return [point(one, measurement) for one, measurement in zip(settings, found, strict=True)]


def point(settings: Settings, measurement: Measurement) -> Point:
    ledger = measurement.ledger
    return Point(
        settings, ledger.bits_per_activation, ledger.total.total / 1024, measurement.psnr_y or 0.0
    )


def show(choices: Choices, points: list[Point]) -> None:
    subject, network = choices.subject, choices.network
    assert subject.truth is not None
    full = measured(subject, network, Settings("fp32", depth=choices.settings.depth))
    floor = psnr_y(bicubic(subject, network.scale), subject.truth, network.scale)
    own = next(p for p in points if p.settings == choices.settings)
    st.subheader(verdict(own, [p for p in points if p.settings.method == "direct"]), anchor=False)
    figure = charts.frontier(points, own, floor, full.psnr_y)

    def pick() -> None:
        selected = st.session_state["frontier"].selection.points
        if selected and selected[0].get("customdata"):
            take_over(points[selected[0]["customdata"][0]].settings)

    charts.draw(
        figure,
        "PSNR over measured bits per activation for all methods",
        "frontier",
        on_select=pick,
        selection_mode="points",
    )
    picked = [p for p in points if p.settings == st.session_state.get("picked")]
    if picked:
        offer_workbench(picked[0])
    st.caption(
        "Click a point to open it in the workbench. Between two points of direct quantization the "
        "line is the interpolation: some layers with the one, the rest with the other. "
        f"FP32 takes {full.ledger.total.total / 1024:,.0f} KiB. {CONVENTION}."
    )
    with st.expander("All points as a table", icon=":material/table_chart:"):
        rows = [
            {
                "method": p.settings.summary,
                "m": p.settings.extra_bits if p.settings.method == "dqa" else None,
                "r": p.settings.important if p.settings.method == "dqa" else None,
                "PSNR in dB": round(p.psnr_y, 3),
                "bits per activation": round(p.bits_per_activation, 4),
                "KiB": round(p.kib, 2),
            }
            for p in sorted(points, key=lambda p: p.kib)
        ]
        st.dataframe(rows, hide_index=True)


def show_operations(choices: Choices) -> None:
    """What the current choice adds to the network's own work."""
    result = measured(choices.subject, choices.network, choices.settings)
    low = to_tensor(choices.subject.low)
    counts = on_worker(count_operations, quantized(choices), low, result.ledger.sites)
    rows = [
        {"operation": "the network's multiply-accumulates", "count": counts.macs},
        {"operation": "quantize: multiply, round, clip", "count": counts.quantize},
        {"operation": "shift and mask", "count": counts.shift},
        {"operation": "Huffman symbols encoded", "count": counts.encode},
        {"operation": "Huffman symbols decoded", "count": counts.decode},
        {"operation": "de-quantize: multiply", "count": counts.dequantize},
    ]
    shares = [{**row, "of the network's, in %": 100 * row["count"] / counts.macs} for row in rows]
    with st.expander("Operations that the current choice adds", icon=":material/calculate:"):
        st.dataframe(shares, hide_index=True)
        st.caption("Counted per picture, from the shapes and the important channels.")


def verdict(own: Point, direct: list[Point]) -> str:
    """The chosen point against direct quantization at the same bytes."""
    direct = sorted(direct, key=lambda p: p.kib)
    for below, above in pairwise(direct):
        if below.kib <= own.kib <= above.kib:
            share = (own.kib - below.kib) / (above.kib - below.kib)
            level = below.psnr_y + share * (above.psnr_y - below.psnr_y)
            difference = own.psnr_y - level
            word = "above" if difference >= 0 else "below"
            return (
                f"{own.settings.summary} reaches {own.psnr_y:.2f} dB with {own.kib:,.0f} KiB: "
                f"{abs(difference):.2f} dB {word} direct quantization of as many bytes."
            )
    return f"{own.settings.summary} reaches {own.psnr_y:.2f} dB with {own.kib:,.0f} KiB."


def take_over(settings: Settings) -> None:
    """Make a point the visitor's choice; for use in a callback, before the widgets are drawn."""
    state = st.session_state
    state["picked"] = settings
    if settings.method == "entropy":
        state["budget"] = settings.bits_per_activation
    else:
        state["bits"] = settings.bits
    if settings.method == "dqa":
        state["m"], state["r"] = settings.extra_bits, settings.important


def offer_workbench(point: Point) -> None:
    """A link that opens a point in the workbench, with the picture and network as they are."""
    settings = point.settings
    query = {"method": METHOD_TITLES[settings.method], "bits": str(settings.bits)}
    if settings.method == "entropy":
        query |= {"budget": f"{settings.bits_per_activation:g}"}
    if settings.method == "dqa":
        query |= {"m": str(settings.extra_bits), "r": f"{settings.important:g}"}
        query["criterion"] = CRITERION_TITLES[settings.criterion]
    kept = {k: st.query_params[k] for k in ("picture", "network", "at") if k in st.query_params}
    st.page_link(
        "pages/workbench.py",
        label=f"Open {point.name} in the workbench: {point.psnr_y:.2f} dB, {point.kib:,.0f} KiB",
        icon=":material/compare:",
        query_params=kept | query,
    )


with notice():
    choices = choose(with_method=False)
    if choices.subject.truth is None:
        st.info("PSNR needs the truth: use your picture as the truth in the sidebar.")
    else:
        wait_for_greedy(choices)
        noisy = st.toggle(
            "Search NoisyQuant too",
            key="noisy",
            bind="query-params",
            help="Its noise is searched layer by layer: some seconds for each number of bits.",
        )
        show(choices, measure_all(choices, grid(choices, noisy)))
        show_operations(choices)
        show_reproduce(choices)
