"""The sidebar: what a visitor chooses, held in the page's address."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.parts.super_resolution.network_forms import can_be_adapted, depths_of, rlq_bits
from pages.parts.super_resolution.networks import (
    LoadedNetwork,
    choose_network,
    loaded,
    show_hub_state,
)
from pages.parts.super_resolution.pictures import Subject, choose_picture, subject
from quantlib.ptq import Settings
from quantlib.ptq.settings import (
    CRITERIA,
    DQA_METHODS,
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
    "dqa-ans": "DQA, base codes entropy-coded",
    "entropy": "Entropy coding",
    "rlq": "RLQ",
}
METHOD_SENTENCES = {
    "fp32": "Full precision: every activation takes 32 bits.",
    "direct": "Uniform codes, one scale per channel.",
    "pot": "Levels at powers of two, one scale per channel.",
    "noisyquant": "A fixed noise is added before rounding and removed after it.",
    "dqa": "Important channels keep extra bits, which are shifted out and Huffman-coded.",
    "dqa-ans": "DQA's values exactly; the n-bit codes are entropy-coded too, channel by channel.",
    "entropy": "As coarse as the result can bear, layer by layer, and all codes entropy-coded.",
    "rlq": "Weights and activations both have few bits, with steps and shifts that were learned.",
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
        method = choose_method() if with_method else "dqa"
        values = choose_numbers(method)
        trained = st.container()
        show_hub_state()
        network = loaded(network_name)
        with trained:
            values |= _trained(method, network)
        with held:
            chosen = subject(picture, network.scale)
            st.caption(
                f"{chosen.low.shape[1]}×{chosen.low.shape[0]} → "
                f"{chosen.low.shape[1] * network.scale}×{chosen.low.shape[0] * network.scale}. "
                + "; ".join(chosen.notes)
            )
    return Choices(chosen, network, Settings(**values))


def choose_method(methods: Sequence[str] = METHODS) -> str:
    """One of `methods`, DQA unless another is chosen."""
    method = st.selectbox(
        "Method",
        methods,
        index=methods.index("dqa"),
        format_func=METHOD_TITLES.__getitem__,
        key="method",
        bind="query-params",
    )
    st.caption(METHOD_SENTENCES[method])
    return method


def choose_numbers(
    method: str,
    criteria: Sequence[str] = tuple(CRITERION_TITLES),
    ranked_on: str = "crops of four sample photographs",
) -> dict[str, Any]:
    """The settings that belong to `method`; `ranked_on` is what channels are ranked on."""
    values: dict[str, Any] = {"method": method}
    if method == "entropy":
        budget = st.slider(
            "Bits per activation",
            0.5,
            6.0,
            2.0,
            0.25,
            key="budget",
            bind="query-params",
            help="The budget: all bytes that are stored, tables and headers too, on average.",
        )
        values |= {"bits_per_activation": budget, "bits": nearest_bits(budget)}
    elif method not in ("fp32", "rlq"):
        values["bits"] = st.slider(
            "Bits n",
            MIN_BITS,
            MAX_BITS,
            3,
            key="bits",
            bind="query-params",
            help="Bits of every stored code.",
        )
    if method in DQA_METHODS:
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
            criteria,
            format_func=CRITERION_TITLES.__getitem__,
            key="criterion",
            bind="query-params",
            help=f"What makes a channel important, measured once on {ranked_on}; a is an "
            "activation, g the gradient of the loss with respect to it.",
        )
        st.caption(f"Score: {CRITERION_FORMULAS[values['criterion']]}")
    if method not in ("fp32", "noisyquant", "entropy", "rlq"):
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
    return values


def nearest_bits(budget: float) -> int:
    """The bits n whose codes take about `budget` bits per activation.

    >>> nearest_bits(0.5), nearest_bits(2.75)
    (2, 3)
    """
    return max(MIN_BITS, min(MAX_BITS, round(budget)))


def _trained(method: str, network: LoadedNetwork) -> dict[str, Any]:
    """What depends on how the network was trained: RLQ's bits and the depth."""
    values: dict[str, Any] = {"bits": _rlq_bits(network)} if method == "rlq" else {}
    depths = depths_of(network, method)
    if len(depths) > 1:
        values["depth"] = st.segmented_control(
            "Depth",
            depths,
            default="full",
            required=True,
            key="depth",
            bind="query-params",
            help="How many blocks of the super-network are computed: all, half or a quarter.",
        )
    return values


def _rlq_bits(network: LoadedNetwork) -> int:
    """RLQ's bits of weights and activations."""
    options = rlq_bits(network)
    if len(options) == 1:
        st.caption(f"Trained with {options[0]} bits.")
        return options[0]
    return st.segmented_control(
        "Bits of weights and activations",
        options,
        default=4 if 4 in options else options[0],
        required=True,
        key="rlq_bits",
        bind="query-params",
        help="What the chosen network is adapted to, on demand."
        if can_be_adapted(network)
        else "The QuantSR twins of the chosen network, trained at these bits.",
    )
