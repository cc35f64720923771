"""All methods read at the same number of bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import streamlit as st

from pages.parts.memory.frontier import UNIFORM, Point, families
from pages.parts.shared.tables import show_table
from pages.parts.shared.terms import caption

LOWEST, HIGHEST, STEP = 0.5, 8.5, 0.05


@dataclass(frozen=True)
class Reading:
    """PSNR in dB of one method at the chosen bits, None outside `lowest` to `highest`.

    `lowest` and `highest` are the fewest and the most bits per activation that were measured.
    """

    psnr_y: float | None
    lowest: float
    highest: float


def read(points: Sequence[tuple[float, float]], bits: float) -> Reading:
    """Interpolate (bits, dB) between the best points: those that no cheaper one equals.

    Beyond the last of these the most bytes that were measured bring nothing more.
    """
    ordered = sorted(points, key=lambda p: (p[0], -p[1]))
    lowest, highest = ordered[0][0], ordered[-1][0]
    if not lowest <= bits <= highest:
        return Reading(None, lowest, highest)
    best: list[tuple[float, float]] = []
    for one in ordered:
        if not best or one[1] > best[-1][1]:
            best.append(one)
    for (low, below), (high, above) in pairwise(best):
        if low <= bits <= high:
            return Reading(below + (bits - low) / (high - low) * (above - below), lowest, highest)
    return Reading(best[-1][1], lowest, highest)


def readings(points: list[Point], bits: float) -> dict[str, Reading]:
    """The reading of every method at `bits` per activation."""
    return {
        name: read([(p.bits_per_activation, p.psnr_y) for p in some], bits)
        for name, some in families(points).items()
    }


def verdict(found: Mapping[str, Reading], bits: float) -> str:
    """Which methods lose to plain uniform at equal bytes, and which do not."""
    at = f"At {bits:.2f} bits per activation"
    uniform = found[UNIFORM].psnr_y
    if uniform is None:
        return f"{at} plain uniform was not measured, so there is nothing to compare with."
    gains = {
        name: reading.psnr_y - uniform
        for name, reading in found.items()
        if name != UNIFORM and reading.psnr_y is not None
    }
    losing = [f"{name} ({_signed(gain)})" for name, gain in gains.items() if gain < -0.005]
    if not losing:
        return f"{at} no method that was measured there loses to plain uniform."
    return f"{at} these lose to plain uniform ({uniform:.2f} dB): {', '.join(losing)}."


def choose_bits(own: Point) -> float:
    """The slider of the reading line; it begins at the visitor's own choice."""
    bits = st.slider(
        "Read all methods at this many bits per activation",
        LOWEST,
        HIGHEST,
        min(HIGHEST, max(LOWEST, round(own.bits_per_activation / STEP) * STEP)),
        STEP,
        key="equal",
        bind="query-params",
        help="All bytes that are stored, tables and headers too, over the number of activations.",
    )
    kib = bits * own.sizes.fp32 / 32 / 1024
    caption(f"{bits:.2f} bits per activation are {kib:,.0f} KiB for this picture.")
    return bits


def show_readings(points: list[Point], bits: float) -> None:
    """One row per method at the reading line, the best first."""
    found = readings(points, bits)
    uniform = found[UNIFORM].psnr_y
    ordered = sorted(found.items(), key=lambda item: -(item[1].psnr_y or 0.0))
    st.markdown(f"**{verdict(found, bits)}**")
    show_table(
        [
            {
                "Method, along its best points": name,
                "PSNR": "outside what was measured"
                if reading.psnr_y is None
                else f"{reading.psnr_y:.2f} dB",
                "Against plain uniform": _difference(reading.psnr_y, uniform),
                "Measured": f"{reading.lowest:.2f} to {reading.highest:.2f} bits",
            }
            for name, reading in ordered
        ],
        "All methods at equal bytes",
    )
    caption(
        "Between measured points PSNR is interpolated, along the best of each method: for DQA over "
        "the m and r that were measured, so that it can lie above the m and r chosen in the "
        "sidebar, which the sentence above the chart is about. The switch above measures them all."
    )


def _difference(value: float | None, uniform: float | None) -> str:
    if value is None or uniform is None:
        return "–"
    return _signed(value - uniform)


def _signed(difference: float) -> str:
    return f"{difference:+.2f} dB".replace("-", "\N{MINUS SIGN}")
