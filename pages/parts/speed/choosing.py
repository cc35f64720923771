"""What is held against what: a network, its RLQ twin, a picture and its size."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from pages.parts.shared.terms import caption
from pages.parts.super_resolution.network_choice import choose_network
from pages.parts.super_resolution.network_forms import twin_bits
from pages.parts.super_resolution.networks import LoadedNetwork
from pages.parts.super_resolution.pictures import Subject, choose_picture, subject
from quantlib.errors import QuantlibError
from quantlib.imaging.samples import mirrored
from quantlib.models.catalogue import rlq_twin

SIDES, ROUNDS = (128, 256, 512), (3, 5, 9)


@dataclass(frozen=True)
class Race:
    """The choices; `learned` is the name of the RLQ twin, if there is one."""

    picture: Subject
    network: LoadedNetwork
    learned: str | None
    side: int
    rounds: int

    @property
    def key(self) -> tuple:
        """What tells it from others."""
        names = self.network.name, self.network.sha256, self.learned
        return (self.picture.digest, *names, self.side, self.rounds)

    @property
    def low(self) -> np.ndarray:
        """The input, `uint8 (side, side, 3)`."""
        return mirrored(self.picture.low, self.side)

    @property
    def truth(self) -> np.ndarray | None:
        truth = self.picture.truth
        return None if truth is None else mirrored(truth, self.side * self.network.scale)


def choose() -> Race:
    """The sidebar's choices."""
    with st.sidebar:
        source = choose_picture()
        network = choose_network().load()
        if network.trained_bits:
            raise QuantlibError(
                f"{network.name} has few bits already; choose the network in full precision that "
                "it is held against, builtin:edsr-x2 for example."
            )
        bits = _bits(network)
        side = st.segmented_control(
            "Pixels a side",
            SIDES,
            default=SIDES[0],
            required=True,
            key="side",
            bind="query-params",
            help="Larger pictures do not fit into the processor's cache.",
        )
        rounds = st.segmented_control(
            "Rounds", ROUNDS, default=ROUNDS[1], required=True, key="rounds", bind="query-params"
        )
        twin = rlq_twin(network.name, bits) if bits else None
    picture = subject(source, network.scale)
    return Race(picture, network, twin.name if twin else None, side, rounds)


def _bits(network: LoadedNetwork) -> int:
    options = twin_bits(network)
    if not options:
        caption("No RLQ twin of this network is bundled: FP32 and 8 bits are measured.")
        return 0
    return st.segmented_control(
        "Bits of the RLQ twin",
        options,
        default=4,
        required=True,
        key="rlq_bits",
        bind="query-params",
        help="Bits of weights and activations of the QuantSR network that is held against it.",
    )
