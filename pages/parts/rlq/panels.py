"""A layer's values under the quantizer: the levels, the codes and the gradients."""

import numpy as np
import streamlit as st

from pages.parts.figures import charts
from pages.parts.rlq import charts as rlq_charts
from pages.parts.rlq.layer import WEIGHTS, ChosenLayer, Findings
from pages.parts.shared.as_text import as_text
from pages.parts.shared.terms import caption


def show_levels(chosen: ChosenLayer, found: Findings, x_title: str) -> None:
    values, codes = st.columns(2, gap="medium", border=True)
    with values:
        st.markdown("**The values and the levels**")
        figure = rlq_charts.values_and_levels(found, x_title)
        charts.draw(figure, f"Histogram of {chosen.title}, and the levels", "levels")
    with codes:
        st.markdown("**How evenly the codes are used**")
        charts.draw(rlq_charts.code_shares(found), "Share of the values by code", "codes")
    before, now, levels = found.before, found.now, len(found.levels)
    rows = [
        ("Step α", f"{chosen.start_step:.4g}", f"{found.quantizer.step.item():.4g}"),
        ("Shift τ", "0", f"{found.shift:.4g}"),
        ("Mean squared error", f"{before.mse:.3g}", f"{now.mse:.3g}"),
        ("SQNR, signal over error", f"{before.sqnr:.2f} dB", f"{now.sqnr:.2f} dB"),
        ("Levels in use", *(f"{r.levels_used} of {levels}" for r in (before, now))),
        ("Code entropy", *(f"{r.entropy:.3f} of {chosen.bits} bits" for r in (before, now))),
        ("Beyond the outermost levels", f"{before.clipped:.2%}", f"{now.clipped:.2%}"),
    ]
    table = "| | LSQ's start, τ = 0 | now |\n| --- | --- | --- |\n"
    st.markdown(table + "\n".join(f"| {a} | {b} | {c} |" for a, b, c in rows))
    cut = f" {found.not_drawn:.1%} of them lie outside the chart." if found.not_drawn else ""
    made = "" if chosen.kind == WEIGHTS else f" for the picture {as_text(chosen.subject.title)}"
    caption(
        f"{chosen.shown.numel():,} values: {as_text(chosen.title)} in full precision{made}.{cut} "
        "The entropy says how homogeneous the representation is: it reaches the bit-width where "
        "all codes are equally frequent. The error is that of x + τ."
    )


def show_gradients(found: Findings, x_title: str) -> None:
    st.subheader("The gradient that each value would receive", anchor=False)
    curve, histogram = st.columns(2, gap="medium", border=True)
    with curve:
        st.markdown("**Over the value axis**")
        figure = rlq_charts.gradient_curves(found, x_title)
        charts.draw(figure, "Gradient multiplier over the values, STE and RLQ", "gradients")
    with histogram:
        st.markdown("**Of the real values**")
        figure = rlq_charts.multiplier_histogram(found)
        charts.draw(figure, "Histogram of the gradient multipliers", "multipliers")
    soft, straight = found.multipliers
    caption(
        "The gradient from above is multiplied by this on its way to the value: computed by "
        f"backpropagation through the operator, k = {found.quantizer.k:g}. Beyond the outermost "
        f"levels nothing arrives. Mean over the {len(soft):,} values: STE {np.mean(straight):.3f}, "
        f"RLQ {np.mean(soft):.3f}."
    )
