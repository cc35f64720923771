"""The full-precision activations of one site for the chosen picture."""

import torch
from torch import Tensor, nn

from pages.parts.shared.caching import shared
from pages.parts.shared.quantizing import Quantizable
from pages.parts.shared.worker import on_worker
from pages.parts.super_resolution.pictures import Subject
from quantlib.imaging.tensors import to_tensor
from quantlib.ptq import Site


def activation(subject: Subject, network: Quantizable, site: Site) -> Tensor:
    """`(1, C, H, W)`, or tokens `(N, L, C)`, as the layer receives it."""
    return _activation(subject, network, site.name)


@shared(megabytes=128)
def _activation(subject: Subject, network: Quantizable, site_name: str) -> Tensor:
    return on_worker(_captured, subject, network, site_name)


def _captured(subject: Subject, network: Quantizable, site_name: str) -> Tensor:
    found: list[Tensor] = []

    def visit(site: Site, a: Tensor, layer: nn.Module) -> Tensor:
        if site.name == site_name:
            found.append(a.clone(memory_format=torch.contiguous_format))
        return a

    with torch.inference_mode():
        network.sites.run(to_tensor(subject.low), visit)
    return found[0]
