"""RLQ looked at closely: φ, a layer under the quantizer, its gradients, and a training to watch."""

import streamlit as st

from pages.parts.rlq.layer import HIGHEST, LOWEST, WEIGHTS, ChosenLayer, choose_values, examine
from pages.parts.rlq.panels import show_gradients, show_levels
from pages.parts.rlq.phi import show_phi
from pages.parts.rlq.reproduce import show_rlq_reproduce
from pages.parts.rlq.training import show_training
from pages.parts.shared.as_text import as_text
from pages.parts.shared.notices import body
from pages.parts.shared.start import start_page
from quantlib.qat.rlq import RLQ

start_page(
    "RLQ lab",
    "The Redistribution-driven Learnable Quantizer of QuantSR (NeurIPS 2023), "
    "piece by piece: its rounding, its levels, its gradients, and a training to watch.",
)


def drag(chosen: ChosenLayer, k: float) -> RLQ:
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
            disabled=not chosen.of_one_channel,
            help="Added before rounding and never taken off again; the layer's bias learns to "
            "live with it. Weights have no τ, and each channel of the activations has its own.",
        )

    def set_step(value: float | None) -> None:
        st.session_state["step"] = chosen.best_ratio(shift_ratio) if value is None else value

    with st.container(horizontal=True):
        st.button("LSQ's start", icon=":material/restart_alt:", on_click=set_step, args=(1.0,))
        st.button(
            "MSE-optimal step",
            icon=":material/target:",
            on_click=set_step,
            args=(None,),
            help="The step with the least squared error of the values shown, at the shift chosen.",
        )
    return chosen.set_by_hand(ratio, shift_ratio, k)


def show_layer(k: float) -> tuple[ChosenLayer, RLQ]:
    """A real layer's values, the levels and the gradients."""
    chosen = choose_values()
    st.subheader(
        f"A real layer under the quantizer: {as_text(chosen.title)}",
        anchor=False,
        help=f"PyTorch calls it {as_text(chosen.site.name)}.",
    )
    x_title = "weight" if chosen.kind == WEIGHTS else "activation" + " + τ" * chosen.of_one_channel
    quantizer = drag(chosen, k)
    found = examine(chosen, quantizer)
    show_levels(chosen, found, x_title)
    show_gradients(found, x_title)
    return chosen, quantizer


k = show_phi()
shown = None
with body():
    shown = show_layer(k)
st.subheader("Train it here", anchor=False)
with body():
    contest = show_training(k)
    if shown:
        show_rlq_reproduce(*shown, contest)
