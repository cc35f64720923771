"""The sidebar: what a visitor chooses, held in the page's address."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from pages.parts.shared.as_text import as_text
from pages.parts.shared.hub import show_hub_state
from pages.parts.shared.method import choose_method, choose_numbers
from pages.parts.shared.terms import caption
from pages.parts.super_resolution.network_choice import choose_network
from pages.parts.super_resolution.network_forms import can_be_adapted, depths_of, rlq_bits
from pages.parts.super_resolution.networks import LoadedNetwork
from pages.parts.super_resolution.pictures import Subject, choose_picture, subject
from quantlib.ptq import Settings, methods
from quantlib.ptq.parameters import PARAMETERS, OneOf
from quantlib.runtime.choice import CHOICES, IN_PYTORCH, INTEGER, SIMULATED, Runtime, has_integers


@dataclass(frozen=True)
class Choices:
    """A picture, a network, how its activations are quantized and what computes that."""

    subject: Subject
    network: LoadedNetwork
    settings: Settings
    runtime: Runtime = IN_PYTORCH


def choose(with_method: bool = True, with_runtime: bool = False) -> Choices:
    """The sidebar's choices. QuantlibError when the picture or the network cannot be had."""
    waiting = st.container()
    with st.sidebar:
        picture = choose_picture()
        held = st.container()
        chosen_network = choose_network()
        method = choose_method(methods.names()) if with_method else methods.DQA.name
        values = choose_numbers(method)
        trained = st.container()
        show_hub_state()
        with waiting:
            network = chosen_network.load()
        with trained:
            values |= _trained(method, network)
            settings = Settings(**values)
            runtime = _choose_runtime(settings) if with_runtime else IN_PYTORCH
        with held:
            chosen = subject(picture, network.scale)
            caption(
                f"{chosen.low.shape[1]}×{chosen.low.shape[0]} → "
                f"{chosen.low.shape[1] * network.scale}×{chosen.low.shape[0] * network.scale}. "
                + as_text("; ".join(chosen.notes))
            )
    return Choices(chosen, network, settings, runtime)


def _choose_runtime(settings: Settings) -> Runtime:
    """Whether the bits are simulated or computed with, where they can be."""
    if not has_integers(settings):
        return IN_PYTORCH
    simple = Runtime(_ask_how("runtime", (SIMULATED, INTEGER)))
    return replace(simple, ends=_ask_how("ends")) if simple.has_ends(settings) else simple


def _ask_how(field: str, choices: Sequence[str] | None = None) -> str:
    how = CHOICES[field]
    assert isinstance(how, OneOf)
    return st.segmented_control(
        how.title,
        choices or how.choices,
        default=how.default,
        format_func=how.title_of,
        required=True,
        key=how.key,
        bind="query-params",
        help=how.help,
    )


def _trained(method: str, network: LoadedNetwork) -> dict[str, Any]:
    """What depends on how the network was trained: RLQ's bits and the depth."""
    values: dict[str, Any] = (
        {"bits": _trained_bits(network)} if methods.method(method).learned else {}
    )
    depths = depths_of(network, method)
    if len(depths) > 1:
        depth = PARAMETERS["depth"]
        values["depth"] = st.segmented_control(
            depth.title,
            depths,
            default=depth.default,
            required=True,
            key=depth.key,
            bind="query-params",
            help=depth.help,
        )
    return values


def _trained_bits(network: LoadedNetwork) -> int:
    """RLQ's bits of weights and activations."""
    options = rlq_bits(network)
    if len(options) == 1:
        caption(f"Trained with {options[0]} bits.")
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
