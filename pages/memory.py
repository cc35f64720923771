"""Quality against measured bytes for all methods; codecs and latency of the chosen DQA."""

import streamlit as st

from pages.parts.figures import charts
from pages.parts.memory.codecs import show_codecs, show_latency
from pages.parts.memory.equal_bytes import choose_bits, read, show_readings
from pages.parts.memory.frontier import UNIFORM, Point, as_csv, grid, point, table
from pages.parts.memory.operations import show_operations
from pages.parts.memory.picking import offer_workbench, pick
from pages.parts.shared.asking import ask_first, begins_by_itself
from pages.parts.shared.notices import body
from pages.parts.shared.start import start_page
from pages.parts.shared.terms import caption
from pages.parts.super_resolution.measuring import measured
from pages.parts.super_resolution.panes import stem_of
from pages.parts.super_resolution.pictures import bicubic
from pages.parts.super_resolution.reproduce import show_reproduce
from pages.parts.super_resolution.sidebar import Choices, choose
from pages.parts.super_resolution.waiting import measured_all, wait_for_long_work
from quantlib.evaluation.quality import CONVENTION, psnr_y
from quantlib.ptq import Settings, methods

start_page(
    "Memory",
    "Every point is a measured pass of the chosen picture: its PSNR against the bytes that "
    "all its quantized activations would be stored in.",
)


def measure_all(choices: Choices, settings: list[Settings]) -> list[Point]:
    found = measured_all(choices, settings, "Measuring every point")
    return [point(one, measurement) for one, measurement in zip(settings, found, strict=True)]


def show(choices: Choices, points: list[Point]) -> None:
    subject, network = choices.subject, choices.network
    assert subject.truth is not None
    full = measured(subject, network, Settings(methods.FP32.name, depth=choices.settings.depth))
    floor = psnr_y(bicubic(subject, network.scale), subject.truth, network.scale)
    assert full.psnr_y is not None
    own = next(p for p in points if p.settings == choices.settings)
    st.subheader(verdict(own, [p for p in points if p.family == UNIFORM]), anchor=False)
    bits = choose_bits(own)
    figure = charts.frontier(points, own, floor, full.psnr_y, bits)

    def pick_selected() -> None:
        selected = st.session_state["frontier"].selection.points
        if selected and selected[0].get("customdata"):
            pick(points[selected[0]["customdata"][0]].settings)

    charts.draw(
        figure,
        "PSNR over measured bits per activation for all methods",
        "frontier",
        on_select=pick_selected,
        selection_mode="points",
    )
    picked = [p for p in points if p.settings == st.session_state.get("picked")]
    if picked:
        offer_workbench(picked[0])
    caption(
        "Click a point to open it in the workbench. Between two points the line is the "
        "interpolation: some layers with the one, the rest with the other. "
        f"FP32 takes {full.ledger.total.total / 1024:,.0f} KiB. {CONVENTION}."
    )
    below = [p.name for p in points if p.psnr_y < floor - charts.BELOW_FLOOR]
    if below:
        caption(f"Too low for the chart, but in the table: {', '.join(below)}.")
    show_readings(points, bits)
    rows = table(points)
    with st.expander("All points as a table", icon=":material/table_chart:"):
        st.dataframe(rows, hide_index=True)
    st.download_button(
        "Download all points as CSV",
        as_csv(rows),
        f"bitlens-memory-{stem_of(choices.subject, choices.network.scale)}.csv",
        "text/csv",
        icon=":material/download:",
    )


def verdict(own: Point, uniform: list[Point]) -> str:
    """The chosen point against plain uniform quantization at the same bytes."""
    reached = f"{own.name} reaches {own.psnr_y:.2f} dB with {own.kib:,.0f} KiB"
    curve = [(p.bits_per_activation, p.psnr_y) for p in uniform]
    level = read(curve, own.bits_per_activation).psnr_y
    if level is None:
        return f"{reached}."
    difference = own.psnr_y - level
    word = "above" if difference >= 0 else "below"
    return (
        f"{reached}: {abs(difference):.2f} dB {word} plain uniform quantization of as many bytes."
    )


with body():
    choices = choose(with_method=False)
    if choices.subject.truth is None:
        st.info("PSNR needs the truth: use your picture as the truth in the sidebar.")
    else:
        wait_for_long_work(choices)
        left, right = st.columns(2)
        every = left.toggle(
            "Every m and r of DQA",
            key="every",
            bind="query-params",
            help="All extra bits from 1 to 3 and four ratios: about 80 more passes.",
        )
        noisy = right.toggle(
            "Search NoisyQuant too",
            key="noisy",
            bind="query-params",
            help="Its noise is searched layer by layer: some seconds for each number of bits.",
        )
        if (every and begins_by_itself("every", "true")) or (
            noisy and begins_by_itself("noisy", "true")
        ):
            ask_first(
                "This address asks for every m and r of DQA or for the search of NoisyQuant: many "
                "more passes, some of them slow.",
                "Measure all of these points",
            )
        show(choices, measure_all(choices, grid(choices, noisy, every)))
        show_operations(choices)
        show_codecs(choices)
        show_latency(choices)
        show_reproduce(choices)
