"""The network that a visitor chooses, loaded once and shared by all of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from pages.parts.shared.arriving import Tell, arrived
from pages.parts.shared.caching import shared
from pages.parts.shared.hub import PUBLIC, check_name, checkpoint_of
from pages.parts.shared.ways import Way
from pages.parts.shared.worker import on_worker
from pages.parts.super_resolution.adapting import AdaptedNetwork, adapted_networks
from quantlib.importance.pairs import Pair
from quantlib.models import SRNetwork, load
from quantlib.models.loading import read_network
from quantlib.ptq import SiteNetwork
from quantlib.tasks.super_resolution import default_pairs, sites_of, trained_bits

DEFAULT = "builtin:edsr-x2"


@dataclass(frozen=True, eq=False)
class LoadedNetwork:
    """A network with its activation sites and the calibration pairs for its scale.

    `depths` are those it can run at; `trained_bits` is None unless it was trained with RLQ.
    `adapted` holds by bits what RLQ on demand has made of it.
    """

    name: str
    scale: int
    source: str
    licence: str | None
    commit: str | None
    sha256: str | None
    depths: tuple[str, ...]
    trained_bits: int | None
    sites: SiteNetwork
    pairs: list[Pair]
    network: SRNetwork
    adapted: Mapping[int, AdaptedNetwork] = field(default_factory=dict)

    @property
    def is_public(self) -> bool:
        """Whether it is nobody's own, and its weights are known by their digest."""
        return self.name.startswith(PUBLIC) and bool(self.sha256)


def loaded(name: str, *ways: Way) -> LoadedNetwork:
    """The network `name`, for as long as it is among the last few that were used.

    While one of the Hub is on its way the script ends here, with progress; `ways` lead on where it
    does not come.
    """
    check_name(name)
    if is_bundled(name):
        network = _load(name)
    else:
        network = arrived(("super-resolution", name), name, partial(_bring, name), *ways)
    return with_adapted(network)


def is_bundled(name: str) -> bool:
    return name.startswith("builtin:")


def _bring(name: str, tell: Tell) -> LoadedNetwork:
    checkpoint, source = checkpoint_of(name, tell)
    return on_worker(lambda: of_network(read_network(checkpoint, source)))


@shared(megabytes=512)
def _load(name: str) -> LoadedNetwork:
    return on_worker(_read, name)


def _read(name: str) -> LoadedNetwork:
    return of_network(load(name))


def of_network(network: SRNetwork) -> LoadedNetwork:
    """The same for a network that is there already."""
    return LoadedNetwork(
        network.name,
        network.scale,
        network.source,
        network.licence,
        network.commit,
        network.sha256,
        network.depths,
        trained_bits(network) if network.is_quantized else None,
        sites_of(network),
        default_pairs(network),
        network,
    )


def with_adapted(network: LoadedNetwork) -> LoadedNetwork:
    """The network with what RLQ on demand has made of it by now."""
    return replace(network, adapted=adapted_networks(network.name, network.sha256))
