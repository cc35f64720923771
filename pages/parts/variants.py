"""Other forms of the chosen network: trained with RLQ, adapted to it, or at another depth."""

from collections.abc import Callable

import streamlit as st

from pages.parts.networks import LoadedNetwork
from pages.parts.worker import on_worker, use_all_cores
from quantlib.models.catalogue import bundled, rlq_twin
from quantlib.pipeline import open_network, sites_of
from quantlib.ptq import Settings, SiteNetwork
from quantlib.qat.depth import DEPTHS

RLQ_BITS = (2, 4, 8)


def rlq_bits(network: LoadedNetwork) -> tuple[int, ...]:
    """The bit-widths that RLQ can be seen at."""
    return (network.trained_bits,) if network.trained_bits else RLQ_BITS


def depths_of(name: str, trained: tuple[str, ...], method: str) -> tuple[str, ...]:
    """The depths that the chosen network, or the one that stands in for it, can run at."""
    twins = [rlq_twin(name, bits) for bits in RLQ_BITS] if method == "rlq" else []
    return tuple(DEPTHS) if any(twin and twin.depths for twin in twins) else trained


def is_shipped(network: LoadedNetwork, settings: Settings) -> bool:
    """Whether RLQ weights of that network are bundled."""
    twin = rlq_twin(network.name, settings.bits)
    known = {entry.name for entry in bundled()}
    return network.trained_bits is not None or (twin is not None and twin.name in known)


def reference_depth(network: LoadedNetwork, settings: Settings) -> str:
    """The depth at which other methods are compared with the chosen one."""
    return settings.depth if settings.depth in network.depths else "full"


def sites_for(network: LoadedNetwork, settings: Settings) -> SiteNetwork:
    """The activation sites of the network as `settings` need it."""
    if settings.method != "rlq" and settings.depth == "full":
        return network.sites
    key = _key(network, settings)
    if key not in _variants():
        _variants()[key] = on_worker(_made, network, settings)
    return _variants()[key]


def is_known(network: LoadedNetwork, settings: Settings) -> bool:
    """Whether the network need not be adapted first."""
    return (
        settings.method != "rlq"
        or is_shipped(network, settings)
        or _key(network, settings) in _variants()
    )


def adapt(network: LoadedNetwork, settings: Settings, watch: Callable[[int, int], None]) -> None:
    """Learn RLQ for this network here and now; `watch` may end it by raising."""
    use_all_cores()  # long: on this thread, so that others need not wait
    _variants()[_key(network, settings)] = _made(network, settings, watch)


def _made(
    network: LoadedNetwork,
    settings: Settings,
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> SiteNetwork:
    return sites_of(open_network(network.name, settings, watch), settings.method)


def _key(network: LoadedNetwork, settings: Settings) -> tuple:
    learned = settings.bits if settings.method == "rlq" else None
    return (network.name, network.sha256, learned, settings.depth)


@st.cache_resource(show_spinner=False)
def _variants() -> dict[tuple, SiteNetwork]:
    return {}
