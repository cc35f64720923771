"""Measurements, made once for every picture, network and setting, whoever asks."""

from dataclasses import replace

import streamlit as st

from pages.parts.shared import quantizing
from pages.parts.shared.quantizing import Quantizable, Watch
from pages.parts.shared.worker import on_worker
from pages.parts.super_resolution.network_forms import (
    reference_depth,
    sites_for,
    weights_for,
)
from pages.parts.super_resolution.networks import LoadedNetwork
from pages.parts.super_resolution.pictures import Subject
from pages.parts.super_resolution.sidebar import Choices
from quantlib.importance import Ranking
from quantlib.ptq import QuantizedNetwork, Settings, methods
from quantlib.tasks.super_resolution import Measurement, measure


def quantizable(network: LoadedNetwork, settings: Settings) -> Quantizable:
    """The network in the form that `settings` need, with crops of the sample photographs."""
    trained = settings.bits if settings.entry.learned else None
    key = (network.name, weights_for(network, settings), trained, settings.depth)
    return Quantizable(key, sites_for(network, settings), "sample crops", network.pairs)


def without_rlq(network: LoadedNetwork, settings: Settings) -> Quantizable:
    """What channels are ranked and layers looked at in: before RLQ, at the chosen depth."""
    if settings.entry.learned:
        depth = reference_depth(network, settings)
        settings = replace(settings, method=methods.FP32.name, depth=depth)
    return quantizable(network, settings)


def known_search(network: LoadedNetwork, settings: Settings) -> Ranking | None:
    return quantizing.known_search(without_rlq(network, settings), settings)


def ranking_of(
    network: LoadedNetwork, settings: Settings, watch: Watch = lambda done, total: None
) -> Ranking:
    """The ranking by `settings.criterion`; `watch` follows a search and may end it by raising."""
    return quantizing.ranking_of(without_rlq(network, settings), settings, watch)


def measured(subject: Subject, network: LoadedNetwork, settings: Settings) -> Measurement:
    """`subject` through `network` under `settings`."""
    return on_worker(_measured, *name_of(subject, network, settings), subject, network)


def name_of(
    subject: Subject, network: LoadedNetwork, settings: Settings
) -> tuple[str, str, str | None, Settings]:
    """What a measurement goes by in caches."""
    return subject.digest, network.name, weights_for(network, settings), settings


@st.cache_resource(max_entries=400, show_spinner=False)
def _measured(
    digest: str,
    name: str,
    sha256: str | None,
    settings: Settings,
    _subject: Subject,
    _network: LoadedNetwork,
) -> Measurement:
    made = quantizing.quantized(quantizable(_network, settings), settings)
    return measure(made, _subject.low, _network.scale, _subject.truth)


def quantized(choices: Choices) -> QuantizedNetwork:
    """The quantized network of these choices, shared and never changed."""
    return quantizing.quantized(quantizable(choices.network, choices.settings), choices.settings)
