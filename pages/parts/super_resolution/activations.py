"""The full-precision activations of one site for the chosen picture."""

import streamlit as st
import torch
from torch import Tensor, nn

from pages.parts.shared.worker import on_worker
from pages.parts.super_resolution.networks import LoadedNetwork
from pages.parts.super_resolution.pictures import Subject
from quantlib.imaging.tensors import to_tensor
from quantlib.ptq import Site


def activation(subject: Subject, network: LoadedNetwork, site: Site) -> Tensor:
    """`(1, C, H, W)`, or tokens `(N, L, C)`, as the layer receives it."""
    return _activation(subject.digest, network.name, network.sha256, site.name, subject, network)


@st.cache_resource(max_entries=8, show_spinner=False)
def _activation(
    digest: str,
    name: str,
    sha256: str | None,
    site_name: str,
    _subject: Subject,
    _network: LoadedNetwork,
) -> Tensor:
    return on_worker(_captured, _subject, _network, site_name)


def _captured(subject: Subject, network: LoadedNetwork, site_name: str) -> Tensor:
    found: list[Tensor] = []

    def visit(site: Site, a: Tensor, layer: nn.Module) -> Tensor:
        if site.name == site_name:
            found.append(a.clone(memory_format=torch.contiguous_format))
        return a

    with torch.inference_mode():
        network.sites.run(to_tensor(subject.low), visit)
    return found[0]
