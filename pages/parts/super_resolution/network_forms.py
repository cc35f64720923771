"""Other forms of the chosen network: with RLQ, or at another depth."""

from pages.parts.shared.caching import shared
from pages.parts.shared.worker import on_worker
from pages.parts.super_resolution.adapting import AdaptedNetwork
from pages.parts.super_resolution.networks import LoadedNetwork
from quantlib.models.catalogue import rlq_twin
from quantlib.ptq import Settings, SiteNetwork, methods
from quantlib.ptq.parameters import MAX_BITS, MIN_BITS
from quantlib.qat.depth import DEPTHS
from quantlib.tasks.super_resolution import in_form, sites_of

TWIN_BITS = (2, 4, 8)


def twin_bits(network: LoadedNetwork) -> tuple[int, ...]:
    """The bit-widths of the network's bundled QuantSR twins."""
    return tuple(bits for bits in TWIN_BITS if rlq_twin(network.name, bits))


def can_be_adapted(network: LoadedNetwork) -> bool:
    """Whether RLQ is had on demand: the network is not quantized, and nothing is bundled for it."""
    return not network.trained_bits and not twin_bits(network)


def rlq_bits(network: LoadedNetwork) -> tuple[int, ...]:
    """The bit-widths that RLQ can be chosen at."""
    if network.trained_bits:
        return (network.trained_bits,)
    return twin_bits(network) or tuple(range(MIN_BITS, MAX_BITS + 1))


def ready_bits(network: LoadedNetwork) -> tuple[int, ...]:
    """The bit-widths that RLQ can be seen at now."""
    return tuple(network.adapted) if can_be_adapted(network) else rlq_bits(network)


def depths_of(network: LoadedNetwork, method: str) -> tuple[str, ...]:
    """The depths that the chosen network, or its QuantSR twin, can run at."""
    has_twin = (
        methods.method(method).learned and not network.trained_bits and bool(twin_bits(network))
    )
    return tuple(DEPTHS) if has_twin else network.depths


def reference_depth(network: LoadedNetwork, settings: Settings) -> str:
    """The depth at which other methods are compared with the chosen one."""
    return settings.depth if settings.depth in network.depths else "full"


def adapted_for(network: LoadedNetwork, settings: Settings) -> AdaptedNetwork | None:
    """The adapted network that is at work under `settings`, if it is one."""
    return network.adapted.get(settings.bits) if settings.entry.learned else None


def weights_for(network: LoadedNetwork, settings: Settings) -> str | None:
    """The SHA-256 that tells the weights at work under `settings` from others of that name."""
    adapted = adapted_for(network, settings)
    return adapted.file.sha256 if adapted else network.sha256


def name_for(network: LoadedNetwork, settings: Settings) -> str:
    """What opens the network elsewhere: its name, or the downloaded file of the adapted one."""
    adapted = adapted_for(network, settings)
    return adapted.file.name if adapted else network.name


def sites_for(network: LoadedNetwork, settings: Settings) -> SiteNetwork:
    """The activation sites of the network as `settings` need it."""
    if adapted := adapted_for(network, settings):
        return adapted.sites
    if not settings.entry.learned and settings.depth == "full":
        return network.sites
    learned = settings.bits if settings.entry.learned else None
    key = network.name, network.sha256, learned, settings.depth
    return _formed(key, network, settings)


@shared(megabytes=512)
def _formed(key: tuple, _network: LoadedNetwork, _settings: Settings) -> SiteNetwork:
    return on_worker(lambda: sites_of(in_form(_network.network, _settings), _settings.method))
