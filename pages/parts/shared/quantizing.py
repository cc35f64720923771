"""Networks of every task, ranked and quantized once for whoever asks."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from operator import attrgetter

import streamlit as st

from pages.parts.shared.caching import HashFuncs, keep
from pages.parts.shared.outliving import kept_or_made
from pages.parts.shared.worker import on_worker, use_all_cores
from quantlib.importance import Ranking, kept_ranking, rank
from quantlib.importance.example import Example
from quantlib.importance.preparing import prepare, steps_for
from quantlib.ptq import QuantizedNetwork, Settings, SiteNetwork
from quantlib.ptq.criteria import CRITERIA, SEARCHED
from quantlib.quantizers.entropy import EntropyQuantizer

Watch = Callable[[int, int], None]
SEARCHES_KEPT = 64


@dataclass(frozen=True, eq=False)
class Quantizable:
    """A network's activation sites, and what its channels are ranked and its scales frozen on.

    `network_key` and `examples_key` stand for them in caches; a public one's results are kept.
    """

    network_key: tuple[Hashable, ...]
    sites: SiteNetwork
    examples_key: str
    examples: Sequence[Example]
    is_public: bool = False

    @property
    def key(self) -> tuple[Hashable, ...]:
        return (*self.network_key, self.examples_key)


BY_KEY: HashFuncs = {Quantizable: attrgetter("key")}


def quantized(network: Quantizable, settings: Settings) -> QuantizedNetwork:
    """The network under `settings`, shared and never changed."""
    return on_worker(_quantized, network, settings)


@st.cache_resource(max_entries=128, show_spinner=False, hash_funcs=BY_KEY)
def _quantized(network: Quantizable, settings: Settings) -> QuantizedNetwork:
    if settings.entry.budgeted:
        return prepare(network.sites, settings, network.examples, steps=_steps(network))
    ranking = ranking_of(network, settings) if settings.needs_ranking else None
    return prepare(network.sites, settings, network.examples, ranking)


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs=BY_KEY)
def _steps(network: Quantizable) -> dict[str, EntropyQuantizer]:
    """The proportions of the steps, which hold for every budget."""
    return steps_for(network.sites, network.examples)


def ranking_of(
    network: Quantizable, settings: Settings, watch: Watch = lambda done, total: None
) -> Ranking:
    """The ranking by `settings.criterion`; `watch` follows a search and may end it by raising."""
    if settings.criterion != SEARCHED:
        return on_worker(_ranking, network, settings.criterion, _bits(settings), settings)
    known = known_search(network, settings)
    return known or _search(network, settings, watch)


def known_search(network: Quantizable, settings: Settings) -> Ranking | None:
    """What a search with these bits has found before, whoever asked for it."""
    return _searches().get((network.key, _bits(settings)))


def _bits(settings: Settings) -> tuple[int, ...]:
    """The numbers that a ranking by the chosen criterion depends on."""
    return tuple(getattr(settings, name) for name in CRITERIA[settings.criterion].quantizes_with)


@st.cache_resource(max_entries=128, show_spinner=False, hash_funcs=BY_KEY)
def _ranking(
    network: Quantizable, criterion: str, bits: tuple[int, ...], _settings: Settings
) -> Ranking:
    def make() -> Ranking:
        return _ranked(network, _settings)

    what = ("ranking", network.key, criterion, bits)
    forms = kept_ranking.to_bytes, kept_ranking.from_bytes
    return kept_or_made(what, network.is_public, make, *forms)


@st.cache_resource(show_spinner=False)
def _searches() -> dict[tuple[Hashable, ...], Ranking]:
    return {}


def _search(network: Quantizable, settings: Settings, watch: Watch) -> Ranking:
    use_all_cores()  # long: on this thread, so that others need not wait
    ranking = _ranked(network, settings, watch)
    return keep(_searches(), (network.key, _bits(settings)), ranking, SEARCHES_KEPT)


def _ranked(
    network: Quantizable, settings: Settings, watch: Watch = lambda done, total: None
) -> Ranking:
    n, m = settings.bits, settings.extra_bits
    return rank(network.sites, network.examples, settings.criterion, n, m, watch=watch)
