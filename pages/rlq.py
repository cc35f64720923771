"""RLQ looked at closely: φ, a layer under the quantizer, its gradients, and a training to watch."""

import numpy as np
import streamlit as st

from pages.parts.figures import charts
from pages.parts.rlq import charts as rlq_charts
from pages.parts.rlq.layer import HIGHEST, LOWEST, WEIGHTS, Findings, Lab, choose_lab, examine
from pages.parts.rlq.phi import show_phi
from pages.parts.rlq.reproduce import show_rlq_reproduce
from pages.parts.rlq.training import show_training
from pages.parts.shared.notices import notice
from pages.parts.shared.start import start_page
from quantlib.qat.rlq import RLQ

start_page(
    "RLQ lab",
    "The Redistribution-driven Learnable Quantizer of QuantSR (NeurIPS 2023), "
    "piece by piece: its rounding, its levels, its gradients, and a training to watch.",
)


def drag(lab: Lab, k: float) -> RLQ:
    """The sliders for step and shift, and the buttons that set them."""
    step, shift = st.columns(2, gap="medium")
    with step:
        ratio = st.slider(
            "Step α, as a multiple of LSQ's start",
            LOWEST,
            HIGHEST,
            1.0,
            0.01,
            key="step",
            bind="query-params",
            help="LSQ starts at 2·mean|v| / √Qp over the whole layer; training then learns α.",
        )
    with shift:
        shift_ratio = st.slider(
            "Shift τ of this channel, in steps of LSQ's start",
            -2.0,
            2.0,
            0.0,
            0.05,
            key="tau",
            bind="query-params",
            disabled=not lab.of_one_channel,
            help="Added before rounding and never taken off again; the layer's bias learns to "
            "live with it. Weights have no τ, and each channel of the activations has its own.",
        )

    def set_step(value: float | None) -> None:
        st.session_state["step"] = lab.best_ratio(shift_ratio) if value is None else value

    with st.container(horizontal=True):
        st.button("LSQ's start", icon=":material/restart_alt:", on_click=set_step, args=(1.0,))
        st.button(
            "MSE-optimal step",
            icon=":material/target:",
            on_click=set_step,
            args=(None,),
            help="The step with the least squared error of the values shown, at the shift chosen.",
        )
    return lab.set_by_hand(ratio, shift_ratio, k)


def show_levels(lab: Lab, found: Findings, x_title: str) -> None:
    values, codes = st.columns(2, gap="medium", border=True)
    with values:
        st.markdown("**The values and the levels**")
        figure = rlq_charts.values_and_levels(found, x_title)
        charts.draw(figure, f"Histogram of {lab.title}, and the levels", "levels")
    with codes:
        st.markdown("**How evenly the codes are used**")
        charts.draw(rlq_charts.code_shares(found), "Share of the values by code", "codes")
    before, now, levels = found.before, found.now, len(found.levels)
    rows = [
        ("Step α", f"{lab.start_step:.4g}", f"{found.quantizer.step.item():.4g}"),
        ("Shift τ", "0", f"{found.shift:.4g}"),
        ("Mean squared error", f"{before.mse:.3g}", f"{now.mse:.3g}"),
        ("SQNR, signal over error", f"{before.sqnr:.2f} dB", f"{now.sqnr:.2f} dB"),
        ("Levels in use", *(f"{r.levels_used} of {levels}" for r in (before, now))),
        ("Code entropy", *(f"{r.entropy:.3f} of {lab.bits} bits" for r in (before, now))),
        ("Beyond the outermost levels", f"{before.clipped:.2%}", f"{now.clipped:.2%}"),
    ]
    table = "| | LSQ's start, τ = 0 | now |\n| --- | --- | --- |\n"
    st.markdown(table + "\n".join(f"| {a} | {b} | {c} |" for a, b, c in rows))
    cut = f" {found.not_drawn:.1%} of them lie outside the chart." if found.not_drawn else ""
    made = "" if lab.kind == WEIGHTS else f" for the picture {lab.subject.title}"
    st.caption(
        f"{lab.shown.numel():,} values: {lab.title} in full precision{made}.{cut} "
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
    st.caption(
        "The gradient from above is multiplied by this on its way to the value: computed by "
        f"backpropagation through the operator, k = {found.quantizer.k:g}. Beyond the outermost "
        f"levels nothing arrives. Mean over the {len(soft):,} values: STE {np.mean(straight):.3f}, "
        f"RLQ {np.mean(soft):.3f}."
    )


def show_layer(k: float) -> tuple[Lab, RLQ]:
    """A real layer's values, the levels and the gradients."""
    lab = choose_lab()
    st.subheader(f"A real layer under the quantizer: {lab.title}", anchor=False)
    x_title = "weight" if lab.kind == WEIGHTS else "activation" + " + τ" * lab.of_one_channel
    quantizer = drag(lab, k)
    found = examine(lab, quantizer)
    show_levels(lab, found, x_title)
    show_gradients(found, x_title)
    return lab, quantizer


k = show_phi()
shown = None
with notice():
    shown = show_layer(k)
st.subheader("Train it here", anchor=False)
with notice():
    contest = show_training(k)
    if shown:
        show_rlq_reproduce(*shown, contest)
