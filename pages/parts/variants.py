"""Other forms of the chosen network: trained with RLQ, or at another depth."""

import streamlit as st

from pages.parts.networks import LoadedNetwork
from pages.parts.worker import on_worker
from quantlib.models.catalogue import rlq_twin
from quantlib.pipeline import open_network, sites_of
from quantlib.ptq import Settings, SiteNetwork
from quantlib.qat.depth import DEPTHS

TWIN_BITS = (2, 4, 8)


def rlq_bits(network: LoadedNetwork) -> tuple[int, ...]:
    """The bit-widths that RLQ can be seen at."""
    if network.trained_bits:
        return (network.trained_bits,)
    return tuple(bits for bits in TWIN_BITS if rlq_twin(network.name, bits))


def depths_of(network: LoadedNetwork, method: str) -> tuple[str, ...]:
    """The depths that the chosen network, or its QuantSR-C twin, can run at."""
    has_twin = method == "rlq" and bool(rlq_bits(network))
    return tuple(DEPTHS) if has_twin else network.depths


def reference_depth(network: LoadedNetwork, settings: Settings) -> str:
    """The depth at which other methods are compared with the chosen one."""
    return settings.depth if settings.depth in network.depths else "full"


def sites_for(network: LoadedNetwork, settings: Settings) -> SiteNetwork:
    """The activation sites of the network as `settings` need it."""
    if settings.method != "rlq" and settings.depth == "full":
        return network.sites
    learned = settings.bits if settings.method == "rlq" else None
    return _variant(network.name, network.sha256, learned, settings.depth, settings)


@st.cache_resource(max_entries=24, show_spinner=False)
def _variant(
    name: str, sha256: str | None, bits: int | None, depth: str, _settings: Settings
) -> SiteNetwork:
    return on_worker(lambda: sites_of(open_network(name, _settings), _settings.method))
