"""Networks of every task, ranked and quantized once for whoever asks."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from pages.parts.shared.caching import shared
from pages.parts.shared.outliving import kept_or_made
from pages.parts.shared.worker import on_worker
from quantlib.importance import Ranking, kept_ranking, rank
from quantlib.importance.example import Example
from quantlib.importance.preparing import prepare, steps_for
from quantlib.ptq import QuantizedNetwork, Settings, SiteNetwork
from quantlib.ptq.criteria import CRITERIA, SEARCHED
from quantlib.quantizers.entropy import EntropyQuantizer

Watch = Callable[[int, int], None]


def _nobody(done: int, total: int) -> None:
    """Nobody watches."""


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


def quantized(network: Quantizable, settings: Settings) -> QuantizedNetwork:
    """The network under `settings`, shared and never changed."""
    return _quantized(network, settings)


@shared(megabytes=1024)
def _quantized(network: Quantizable, settings: Settings) -> QuantizedNetwork:
    return on_worker(_prepared, network, settings)


def _prepared(network: Quantizable, settings: Settings) -> QuantizedNetwork:
    if settings.entry.budgeted:
        steps = _steps(network, _nobody)
        return prepare(network.sites, settings, network.examples, steps=steps)
    ranking = ranking_of(network, settings) if settings.needs_ranking else None
    return prepare(network.sites, settings, network.examples, ranking)


def find_steps(network: Quantizable, watch: Watch) -> None:
    """Finds the proportions of entropy-coded steps, which hold for every budget."""
    _steps(network, watch)


def knows_steps(network: Quantizable) -> bool:
    """Whether they have been found before, whoever asked for them."""
    return _steps.known(network) is not None


@shared(megabytes=64)
def _steps(network: Quantizable, _watch: Watch) -> dict[str, EntropyQuantizer]:
    return on_worker(steps_for, network.sites, network.examples, _watch)


def ranking_of(network: Quantizable, settings: Settings, watch: Watch = _nobody) -> Ranking:
    """The ranking by `settings.criterion`; `watch` follows a search and may end it by raising."""
    if settings.criterion != SEARCHED:
        return _ranking(network, settings.criterion, _bits(settings), settings)
    return _searched(network, _bits(settings), settings, watch)


def known_search(network: Quantizable, settings: Settings) -> Ranking | None:
    """What a search with these bits has found before, whoever asked for it."""
    return _searched.known(network, _bits(settings))


def _bits(settings: Settings) -> tuple[int, ...]:
    """The numbers that a ranking by the chosen criterion depends on."""
    return tuple(getattr(settings, name) for name in CRITERIA[settings.criterion].quantizes_with)


@shared(megabytes=64)
def _ranking(
    network: Quantizable, criterion: str, bits: tuple[int, ...], _settings: Settings
) -> Ranking:
    def make() -> Ranking:
        return on_worker(_ranked, network, _settings)

    what = ("ranking", network.key, criterion, bits)
    forms = kept_ranking.to_bytes, kept_ranking.from_bytes
    return kept_or_made(what, network.is_public, make, *forms)


@shared(megabytes=64)
def _searched(
    network: Quantizable, bits: tuple[int, ...], _settings: Settings, _watch: Watch
) -> Ranking:
    return on_worker(_ranked, network, _settings, _watch)


def _ranked(network: Quantizable, settings: Settings, watch: Watch = _nobody) -> Ranking:
    n, m = settings.bits, settings.extra_bits
    return rank(network.sites, network.examples, settings.criterion, n, m, watch=watch)
