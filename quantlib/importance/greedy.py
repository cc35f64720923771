"""The paper's greedy ranking (DQA, algorithm 3), for super-resolution with PSNR as the metric."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from quantlib.importance.pairs import Pair
from quantlib.ptq.sites import Site, SiteNetwork
from quantlib.quantizers.uniform import fit_uniform


def greedy(
    sites: SiteNetwork, pairs: list[Pair], bits: int, watch: Callable[[int, int], None]
) -> dict[str, Tensor]:
    """PSNR in dB of every candidate channel: the one whose quantization is skipped.

    Layer by layer in order of execution, earlier layers are quantized except for their most
    important channel, the layer itself except for the candidate; later ones stay in FP32.
    """
    kept: dict[str, int] = {}
    scores: dict[str, Tensor] = {}
    total, done = sum(site.channels for site in sites.sites), 0
    for site in sites.sites:
        found = []
        for channel in range(site.channels):
            watch(done, total)
            found.append(_psnr(sites, pairs, bits, {**kept, site.name: channel}))
            done += 1
        scores[site.name] = torch.tensor(found)
        kept[site.name] = int(scores[site.name].argmax())
    watch(total, total)
    return scores


@torch.inference_mode()
def _psnr(sites: SiteNetwork, pairs: list[Pair], bits: int, kept: dict[str, int]) -> float:
    def visit(site: Site, a: Tensor, layer: nn.Module) -> Tensor:
        if site.name not in kept:
            return a
        quantized = fit_uniform(a, bits, site.channel_dim)(a)
        channel = kept[site.name]
        quantized.select(site.channel_dim, channel).copy_(a.select(site.channel_dim, channel))
        return quantized

    errors = [(sites.run(p.low, visit).clamp(0, 1) - p.high).square().mean() for p in pairs]
    return -10 * torch.log10(torch.stack(errors)).mean().item()
