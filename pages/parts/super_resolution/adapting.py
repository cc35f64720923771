"""RLQ on demand beside the page: a network that is being adapted, and those that have been."""

import threading
from dataclasses import dataclass, replace

import streamlit as st

from pages.parts.shared.background import Background, Progress, this_visit
from pages.parts.shared.worker import on_worker
from pages.parts.super_resolution.adapted_file import AdaptedFile, file_of
from quantlib.models import SRNetwork
from quantlib.ptq import SiteNetwork
from quantlib.qat.adapting import adapt
from quantlib.qat.scheme import Scheme
from quantlib.stopping import go_on
from quantlib.tasks.super_resolution import adaptation_pictures, sites_of

STEPS = adapt.STEPS
KEPT = 8
_beginning = threading.Lock()


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


class Adaptation(Background):
    """A network that is adapted to `bits`.

    Stopped early it keeps the result so far.
    """

    outlives_reload = True

    def __init__(self, network: SRNetwork, bits: int) -> None:
        super().__init__()
        self.network, self.bits = network, bits
        self.step: adapt.AdaptProgress | None = None
        self.result: AdaptedNetwork | None = None

    @property
    def progress(self) -> Progress:
        if self.step is None:
            return Progress(0.0, "Preparing the start, layer after layer")
        made, left = self.step, self.step.seconds_left
        note = "" if left is None else f", about {left:.0f} s left"
        text = f"Step {made.step} of {made.steps}, loss {made.loss:.5f}{note}"
        return Progress(made.step / made.steps, text)

    def work(self) -> None:
        adapted = on_worker(
            adapt.adapt,
            self.network,
            adaptation_pictures(self.network.scale),
            scheme_of(self.bits),
            steps=STEPS,
            watch=self._note,
            watch_start=lambda layer: go_on(),
        )
        made = adapted.network
        assert isinstance(made, SRNetwork)
        sites, file = sites_of(made, "rlq"), file_of(made, self.bits)
        complete = adapted.steps == STEPS
        self.result = AdaptedNetwork(sites, file, adapted.coverage, adapted.steps, complete)

    def _note(self, step: adapt.AdaptProgress) -> bool:
        self.step = step
        return self.stopping


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
        known[key] = Adaptation(network, key[2]).begin(this_visit())
        return known[key]


def adapted_networks(name: str, sha256: str | None) -> dict[int, AdaptedNetwork]:
    """What the network `name` with these weights has been adapted to, by bits."""
    return {
        key[2]: adaptation.result
        for key, adaptation in list(_adaptations().items())
        if key[:2] == (name, sha256) and adaptation.result is not None
    }
