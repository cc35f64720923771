"""RLQ on demand beside the page: a network that is being adapted, and those that have been."""

import threading
from dataclasses import dataclass, replace

import streamlit as st
import torch

from pages.parts.super_resolution.adapted_file import AdaptedFile, file_of
from quantlib.models import SRNetwork
from quantlib.ptq import SiteNetwork
from quantlib.qat.adapting import adapt
from quantlib.qat.scheme import Scheme
from quantlib.tasks.super_resolution import adaptation_pictures, sites_of

STEPS = adapt.STEPS
KEPT = 8
_one_at_a_time, _beginning = threading.Lock(), threading.Lock()


@dataclass(frozen=True, eq=False)
class AdaptedNetwork:
    """A network with the RLQ that it learned here: its activation sites, and it as a file.

    `coverage` says how many of how many layers are quantized.
    """

    sites: SiteNetwork
    file: AdaptedFile
    coverage: str
    steps: int
    complete: bool


def scheme_of(bits: int) -> Scheme:
    """RLQ with scales per channel, weights and activations of `bits` bits."""
    return replace(adapt.ON_DEMAND, weight_bits=bits, activation_bits=bits)


class Adaptation:
    """A network that is adapted to `bits` on a thread and a core of its own.

    One is adapted at a time, the others wait. It ends by itself, or after `stop()` with the result
    so far.
    """

    def __init__(self, network: SRNetwork, bits: int) -> None:
        self.bits = bits
        self.begun = False
        self.progress: adapt.AdaptProgress | None = None
        self.result: AdaptedNetwork | None = None
        self.error: Exception | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._drive, args=(network,), name="adapting", daemon=True
        )
        self._thread.start()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    def stop(self) -> None:
        self._stop.set()

    def wait(self, seconds: float) -> None:
        """Until it has ended, at most `seconds`."""
        self._thread.join(seconds)

    def _drive(self, network: SRNetwork) -> None:
        while not self._stop.is_set():
            if _one_at_a_time.acquire(timeout=0.2):
                try:
                    self._adapt(network)
                except Exception as error:  # shown by the page, where somebody sees it
                    self.error = error
                finally:
                    _one_at_a_time.release()
                return

    def _adapt(self, network: SRNetwork) -> None:
        torch.set_num_threads(1)  # of this thread only
        self.begun = True
        pictures, scheme = adaptation_pictures(network.scale), scheme_of(self.bits)
        adapted = adapt.adapt(network, pictures, scheme, steps=STEPS, watch=self._note)
        made = adapted.network
        assert isinstance(made, SRNetwork)
        sites, file = sites_of(made, "rlq"), file_of(made, self.bits)
        complete = adapted.steps == STEPS
        self.result = AdaptedNetwork(sites, file, adapted.coverage, adapted.steps, complete)

    def _note(self, progress: adapt.AdaptProgress) -> bool:
        self.progress = progress
        return self._stop.is_set()


Key = tuple[str, str | None, int]
"""The name of a network, the SHA-256 of its weights, and the bits that it is adapted to."""


@st.cache_resource(show_spinner=False)
def _adaptations() -> dict[Key, Adaptation]:
    return {}


def adaptation_of(key: Key) -> Adaptation | None:
    """The last adaptation of `key`, whoever began it."""
    return _adaptations().get(key)


def begin(key: Key, network: SRNetwork) -> Adaptation | None:
    """Adapts `network` for everybody, or None where that is under way already."""
    known = _adaptations()
    with _beginning:
        current = known.pop(key, None)
        if current is not None and current.running:
            known[key] = current
            return None
        ended = [one for one, adaptation in known.items() if not adaptation.running]
        for one in ended[: max(0, len(known) + 1 - KEPT)]:
            del known[one]
        known[key] = Adaptation(network, key[2])
        return known[key]


def adapted_networks(name: str, sha256: str | None) -> dict[int, AdaptedNetwork]:
    """What the network `name` with these weights has been adapted to, by bits."""
    return {
        key[2]: adaptation.result
        for key, adaptation in list(_adaptations().items())
        if key[:2] == (name, sha256) and adaptation.result is not None
    }
