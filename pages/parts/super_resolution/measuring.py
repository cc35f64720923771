"""Measurements, made once for every picture, network and setting, whoever asks."""

from collections.abc import Callable
from threading import Lock

import streamlit as st

from pages.parts.shared.worker import on_worker, use_all_cores
from pages.parts.super_resolution.network_forms import sites_for, weights_for
from pages.parts.super_resolution.networks import LoadedNetwork
from pages.parts.super_resolution.pictures import Subject
from pages.parts.super_resolution.sidebar import Choices
from quantlib.importance import Ranking, rank
from quantlib.importance.pairs import Pair
from quantlib.ptq import QuantizedNetwork, Settings, SiteNetwork
from quantlib.quantizers.entropy import EntropyQuantizer
from quantlib.tasks.super_resolution import Measurement, measure, prepare, steps_for

Watch = Callable[[int, int], None]
_ranking = Lock()


@st.cache_resource(max_entries=64, show_spinner=False)
def _rankings() -> dict[tuple, Ranking]:
    return {}


def ranking_key(network: LoadedNetwork, settings: Settings) -> tuple:
    """What the ranking depends on: greedy quantizes with n bits, gain with n and with n+m."""
    n, m = settings.bits, settings.extra_bits
    bits = {"greedy": (n,), "gain": (n, m)}.get(settings.criterion, ())
    return (network.name, network.sha256, settings.criterion, *bits)


def known_ranking(network: LoadedNetwork, settings: Settings) -> Ranking | None:
    return _rankings().get(ranking_key(network, settings))


def ranking_of(
    network: LoadedNetwork,
    settings: Settings,
    watch: Watch = lambda done, total: None,
) -> Ranking:
    """The ranking by `settings.criterion`; `watch` follows greedy and may end it by raising."""
    known = known_ranking(network, settings)
    if known is not None:
        return known
    if settings.criterion != "greedy":
        return on_worker(_ranked_once, network, settings, watch)
    use_all_cores()  # long: on this thread, so that others need not wait
    return _ranked(network, settings, watch)


def _ranked_once(network: LoadedNetwork, settings: Settings, watch: Watch) -> Ranking:
    with _ranking:
        return known_ranking(network, settings) or _ranked(network, settings, watch)


def _ranked(network: LoadedNetwork, settings: Settings, watch: Watch) -> Ranking:
    sites, pairs, bits, extra = network.sites, network.pairs, settings.bits, settings.extra_bits
    ranking = rank(sites, pairs, settings.criterion, bits, extra, watch=watch)
    _rankings()[ranking_key(network, settings)] = ranking
    return ranking


def measured(subject: Subject, network: LoadedNetwork, settings: Settings) -> Measurement:
    """`subject` through `network` under `settings`."""
    weights = weights_for(network, settings)
    return on_worker(_measured, subject.digest, network.name, weights, settings, subject, network)


@st.cache_resource(max_entries=400, show_spinner=False)
def _measured(
    digest: str,
    name: str,
    sha256: str | None,
    settings: Settings,
    _subject: Subject,
    _network: LoadedNetwork,
) -> Measurement:
    quantized = _quantized(name, sha256, settings, _network)
    return measure(quantized, _subject.low, _network.scale, _subject.truth)


@st.cache_resource(max_entries=64, show_spinner=False)
def _quantized(
    name: str, sha256: str | None, settings: Settings, _network: LoadedNetwork
) -> QuantizedNetwork:
    sites, pairs = sites_for(_network, settings), _network.pairs
    if settings.entry.budgeted:
        return prepare(
            sites, settings, pairs, steps=_steps(name, sha256, settings.depth, sites, pairs)
        )
    ranking = ranking_of(_network, settings) if settings.needs_ranking else None
    return prepare(sites, settings, pairs, ranking)


@st.cache_resource(max_entries=64, show_spinner=False)
def _steps(
    name: str, sha256: str | None, depth: str, _sites: SiteNetwork, _pairs: list[Pair]
) -> dict[str, EntropyQuantizer]:
    """The proportions of the steps, which hold for every budget."""
    return steps_for(_sites, _pairs)


def quantized(choices: Choices) -> QuantizedNetwork:
    """The quantized network of these choices, shared and never changed."""
    network = choices.network
    weights = weights_for(network, choices.settings)
    return on_worker(_quantized, network.name, weights, choices.settings, network)
