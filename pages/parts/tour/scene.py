"""The picture and the network that the tour looks at: those of the address, where it can."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st
import torch
from torch import Tensor

from pages.parts.shared.samples import TITLES, UPLOAD
from pages.parts.super_resolution.activations import activation
from pages.parts.super_resolution.measuring import quantizable
from pages.parts.super_resolution.networks import DEFAULT, LoadedNetwork, loaded
from pages.parts.super_resolution.pictures import Subject, subject
from quantlib.errors import QuantlibError
from quantlib.imaging.samples import SAMPLES
from quantlib.ptq import Settings, Site
from quantlib.ptq.methods import FP32

BUNDLED = "builtin:"


@dataclass(frozen=True, eq=False)
class Scene:
    """A sample picture, a bundled network, and the layer that the stops look at."""

    subject: Subject
    network: LoadedNetwork

    @property
    def query(self) -> dict[str, str]:
        """The picture and the network as the addresses of other pages have them."""
        return {"picture": TITLES[self.subject.source], "network": self.network.name}

    @property
    def site(self) -> Site:
        """The layer in the middle of the network, the one that other pages begin with."""
        sites = self.network.sites.sites
        return sites[len(sites) // 2]

    @property
    def after_relu(self) -> Site:
        """A layer whose input has no negative values."""
        return next(site for site in self.network.sites.sites if site.nonnegative)

    @property
    def signed(self) -> Site:
        """A layer whose input has negative values too."""
        return next(site for site in self.network.sites.sites if not site.nonnegative)

    def values(self, site: Site | None = None) -> Tensor:
        """What the layer receives of the picture, `(1, C, H, W)`."""
        network = quantizable(self.network, Settings(FP32.name))
        return activation(self.subject, network, site or self.site)

    def channel(self, site: Site | None = None) -> int:
        """The channel whose mean magnitude is nearest to the layer's."""
        means = self.values(site).abs().mean((0, 2, 3))
        return int((means - means.mean()).abs().argmin())

    def plane(self, site: Site | None = None) -> Tensor:
        """That channel's values, `(H, W)`."""
        return self.values(site)[0, self.channel(site)]


def chosen_scene(lacks: Callable[[LoadedNetwork], str]) -> Scene:
    """What the address asks for; a sentence where a stop goes on with something else."""
    network = _network(lacks)
    return Scene(subject(_picture(), network.scale), network)


def _picture() -> str:
    title = st.query_params.get("picture", "")
    key = next((key for key, one in TITLES.items() if one == title), "")
    if key == UPLOAD:
        _go_on("The tour looks at a sample photograph; your own picture waits on the other pages.")
    elif title and not key:
        _go_on("The address names a picture that there is not; the tour goes on with another.")
    return key if key and key != UPLOAD else SAMPLES[0].key


def _network(lacks: Callable[[LoadedNetwork], str]) -> LoadedNetwork:
    name = st.query_params.get("network", DEFAULT)
    if not name.startswith(BUNDLED):
        reason = "The tour looks at bundled networks only"
    else:
        try:
            network = loaded(name)
            reason = lacks(network)
        except QuantlibError:
            reason = "The address names a network that does not enlarge pictures, or that is not"
        else:
            if not reason:
                return network
    _go_on(f"{reason}; here the tour goes on with {DEFAULT}.")
    return loaded(DEFAULT)


def no_planes(network: LoadedNetwork) -> str:
    """Why a network has no channels that can be seen as pictures."""
    if all(site.channel_dim == 1 for site in network.sites.sites):
        return ""
    return "Layers of the chosen network hold tokens, which are no pictures"


def _go_on(sentence: str) -> None:
    st.info(sentence, icon=":material/info:")


def follow(plane: Tensor) -> float:
    """The value that a stop follows: the one nearest to seven tenths of the largest magnitude."""
    values = plane.flatten()
    aim = 0.7 * values.abs().max()
    return float(values[torch.argmin((values.abs() - aim).abs())])
