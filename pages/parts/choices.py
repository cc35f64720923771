"""The sidebar: what a visitor chooses, held in the page's address."""

from dataclasses import dataclass

import streamlit as st

from pages.parts.networks import LoadedNetwork, choose_network, loaded, show_hub_state
from pages.parts.pictures import Subject, choose_picture, subject
from quantlib.ptq import Settings
from quantlib.ptq.settings import (
    CRITERIA,
    MAX_BITS,
    MAX_EXTRA_BITS,
    METHODS,
    MIN_BITS,
    SCALES,
)
from quantlib.quantizers.uniform import CLIPS

METHOD_TITLES = {
    "fp32": "FP32",
    "direct": "Direct",
    "pot": "Power-of-two",
    "noisyquant": "NoisyQuant",
    "dqa": "DQA",
}
METHOD_SENTENCES = {
    "fp32": "Full precision: every activation takes 32 bits.",
    "direct": "Uniform codes, one scale per channel.",
    "pot": "Levels at powers of two, one scale per channel.",
    "noisyquant": "A fixed noise is added before rounding and removed after it.",
    "dqa": "Important channels keep extra bits, which are shifted out and Huffman-coded.",
}
CRITERION_FORMULAS = {
    "fisher": "Σ g²",
    "saliency": "Σ |a|·|g|",
    "energy": "Σ a²",
    "gain": "error that m extra bits remove, times Σ |g|",
    "random": "no formula",
    "greedy": "the paper's search (algorithm 3): PSNR when one channel is spared",
}
CRITERION_TITLES = {
    "fisher": "Fisher",
    "saliency": "Saliency",
    "energy": "Energy",
    "gain": "Gain",
    "random": "Random",
    "greedy": "Greedy",
}
assert set(CRITERION_TITLES) == set(CRITERIA)


@dataclass(frozen=True)
class Choices:
    """A picture, a network and how its activations are quantized."""

    subject: Subject
    network: LoadedNetwork
    settings: Settings


def choose(with_method: bool = True) -> Choices:
    """The sidebar's choices. QuantlibError when the picture or the network cannot be had."""
    with st.sidebar:
        picture = choose_picture()
        held = st.container()
        network_name = choose_network()
        method = _method() if with_method else "dqa"
        settings = _numbers(method)
        show_hub_state()
        network = loaded(network_name)
        with held:
            chosen = subject(picture, network.scale)
            st.caption(
                f"{chosen.low.shape[1]}×{chosen.low.shape[0]} → "
                f"{chosen.low.shape[1] * network.scale}×{chosen.low.shape[0] * network.scale}. "
                + "; ".join(chosen.notes)
            )
    return Choices(chosen, network, settings)


def _method() -> str:
    method = st.selectbox(
        "Method",
        METHODS,
        index=METHODS.index("dqa"),
        format_func=METHOD_TITLES.__getitem__,
        key="method",
        bind="query-params",
    )
    st.caption(METHOD_SENTENCES[method])
    return method


def _numbers(method: str) -> Settings:
    values: dict = {"method": method}
    if method != "fp32":
        values["bits"] = st.slider(
            "Bits n",
            MIN_BITS,
            MAX_BITS,
            3,
            key="bits",
            bind="query-params",
            help="Bits of every stored code.",
        )
    if method == "dqa":
        values["extra_bits"] = st.slider(
            "Extra bits m",
            0,
            MAX_EXTRA_BITS,
            3,
            key="m",
            bind="query-params",
            help="Bits that important channels keep beyond n; they are Huffman-coded.",
        )
        values["important"] = st.slider(
            "Important ratio r",
            0.0,
            1.0,
            0.4,
            0.05,
            key="r",
            bind="query-params",
            help="Share of the channels of every layer that count as important.",
        )
        values["criterion"] = st.selectbox(
            "Criterion",
            list(CRITERION_TITLES),
            format_func=CRITERION_TITLES.__getitem__,
            key="criterion",
            bind="query-params",
            help="What makes a channel important, measured once on crops of four sample "
            "photographs; a is an activation, g the gradient of the loss with respect to it.",
        )
        st.caption(f"Score: {CRITERION_FORMULAS[values['criterion']]}")
    if method not in ("fp32", "noisyquant"):
        with st.expander("More settings", icon=":material/tune:"):
            if method == "direct":
                values["clip"] = st.selectbox(
                    "Range",
                    CLIPS,
                    key="clip",
                    bind="query-params",
                    help="The largest value, the 99.9th percentile, or the least squared error.",
                )
                values["unsigned"] = st.toggle(
                    "Unsigned after ReLU",
                    key="unsigned",
                    bind="query-params",
                    help="Where nothing is negative, all levels lie at or above zero.",
                )
            values["scales"] = st.selectbox(
                "Scales",
                SCALES,
                key="scales",
                bind="query-params",
                help="Dynamic: from each input, as the paper does. Frozen: from calibration.",
            )
    return Settings(**values)
