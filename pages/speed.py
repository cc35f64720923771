"""What integers buy on this machine: time, memory and bytes of every form of a network."""

import streamlit as st

from pages.parts.shared.notices import body
from pages.parts.shared.start import start_page
from pages.parts.shared.terms import caption
from pages.parts.speed.charts import show_shares, show_times
from pages.parts.speed.choosing import Race, choose
from pages.parts.speed.machine import machine
from pages.parts.speed.measuring import measured
from pages.parts.speed.reproduce import show_speed_reproduce
from pages.parts.speed.table import show_costs
from quantlib.evaluation.quality import CONVENTION
from quantlib.tasks.ways import Cost

start_page(
    "Speed",
    "One network in every form that runs here: FP32, 8 bits after training, and RLQ's few bits as "
    "real integers, in PyTorch and in ONNX Runtime. All are measured in one run on this machine.",
)


def show(race: Race, costs: list[Cost]) -> None:
    st.subheader(verdict(costs), anchor=False)
    times, shares = st.columns(2, gap="medium", border=True)
    with times:
        show_times(costs)
    with shares:
        show_shares(costs)
    show_costs(race, costs)
    caption(
        f"Measured here: {race.rounds} rounds in which all forms take turns, on "
        f"{race.side}×{race.side} pixels; the median, ± half the way from the fastest to the "
        f"slowest; where it goes, on one thread. Machine: {machine()}. {CONVENTION}; beyond its "
        "own size the picture goes on as its mirror image. A network with 2 bits takes as long as "
        "one with 4: both are multiplied as bytes, so 2 bits buy bytes and no time. In a chain of "
        "layers only neighbours are held at once: codes between them save what moves, not the "
        "peak; bands of rows bring that down."
    )
    caption(
        "Published, elsewhere: QuantSR's paper and code give operations saved, by counting, and "
        "the time of an FPGA, no time of a processor; DQA's gives none. They stand on the results "
        "page and are not drawn here."
    )


def verdict(costs: list[Cost]) -> str:
    """The fastest form of the few bits against FP32, in one sentence."""
    reference, *others = [cost for cost in costs if cost.seconds]
    if not others:
        return "Nothing but FP32 runs here."
    fastest = min(others, key=lambda cost: cost.median)
    factor = reference.median / fastest.median
    said = f"{fastest.title} in {fastest.engine} takes {1000 * fastest.median:,.0f} ms, "
    said += f"{factor:.2f} × as fast as {reference.title} in {reference.engine}"
    if fastest.psnr_y is None or reference.psnr_y is None:
        return f"{said}."
    return f"{said}, and keeps {fastest.psnr_y:.2f} of {reference.psnr_y:.2f} dB."


with body():
    race = choose()
    costs = measured(race)
    if costs is not None:
        show(race, costs)
    show_speed_reproduce(race)
