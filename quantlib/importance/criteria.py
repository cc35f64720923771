"""Importance criteria that take one forward and one backward pass at most.

Sums run over samples and positions of a channel; `a` is the activation at a site, `g` the gradient
of the examples' loss with respect to it along the path that quantization touches.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from quantlib.importance.example import Example
from quantlib.ptq.sites import Site, SiteNetwork
from quantlib.quantizers.channels import by_channel
from quantlib.quantizers.uniform import fit_uniform

Score = Callable[[Tensor, Tensor, int, int], Tensor]


def energy(a: Tensor, g: Tensor, bits: int, extra_bits: int) -> Tensor:
    """Σ a²"""
    return a.square().sum(1)


def saliency(a: Tensor, g: Tensor, bits: int, extra_bits: int) -> Tensor:
    """Σ |a|·|g|"""
    return (a * g).abs().sum(1)


def fisher(a: Tensor, g: Tensor, bits: int, extra_bits: int) -> Tensor:
    """Σ g²"""
    return g.square().sum(1)


def gain(a: Tensor, g: Tensor, bits: int, extra_bits: int) -> Tensor:
    """(D_n - D_{n+m})·Σ|g|, with D_b = Σ(a - Q_b(a))² of the direct quantizer."""
    removed = _distortion(a, bits) - _distortion(a, bits + extra_bits)
    return removed * g.abs().sum(1)


def _distortion(a: Tensor, bits: int) -> Tensor:
    return (a - fit_uniform(a, bits, channel_dim=0)(a)).square().sum(1)


ONE_PASS: dict[str, Score] = {
    "energy": energy,
    "saliency": saliency,
    "fisher": fisher,
    "gain": gain,
}


def score(
    sites: SiteNetwork,
    examples: Sequence[Example],
    criteria: Sequence[str],
    bits: int,
    extra_bits: int,
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, dict[str, Tensor]]:
    """Scores `(C,)` of every site, summed over `examples`, by criterion; one pass for all."""
    totals = {
        criterion: {site.name: torch.zeros(site.channels) for site in sites.sites}
        for criterion in criteria
    }
    slopes = set(criteria) != {"energy"}
    for done, example in enumerate(examples):
        watch(done, len(examples))
        for site, a, g in activations_and_gradients(sites, example, slopes):
            rows = by_channel(a, site.channel_dim), by_channel(g, site.channel_dim)
            for criterion in criteria:
                totals[criterion][site.name] += ONE_PASS[criterion](*rows, bits, extra_bits)
    watch(len(examples), len(examples))
    return totals


def activations_and_gradients(
    sites: SiteNetwork, example: Example, gradients: bool = True
) -> list[tuple[Site, Tensor, Tensor]]:
    """(site, a, g) in order of execution; `g` is zero where no gradient was asked for."""
    probes: list[tuple[Site, Tensor]] = []

    def probe(site: Site, a: Tensor, layer: nn.Module) -> Tensor:
        copy = a.clone()
        probes.append((site, copy))
        return copy

    with torch.inference_mode(False), torch.set_grad_enabled(gradients):
        output = sites.run(example.input.clone().requires_grad_(gradients), probe)
        if not gradients:
            return [(site, a, torch.zeros_like(a)) for site, a in probes]
        slopes = torch.autograd.grad(
            example.loss(output), [a for _, a in probes], materialize_grads=True
        )
    return [(site, a.detach(), g) for (site, a), g in zip(probes, slopes, strict=True)]
