"""The paper's greedy ranking (DQA, algorithm 3), by PSNR or by accuracy."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from quantlib.importance.example import Example
from quantlib.ptq.sites import Site, SiteNetwork
from quantlib.quantizers.uniform import fit_uniform


def greedy(
    sites: SiteNetwork, examples: Sequence[Example], bits: int, watch: Callable[[int, int], None]
) -> dict[str, Tensor]:
    """Mean quality with every candidate channel: the one whose quantization is skipped.

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
            found.append(_quality(sites, examples, bits, {**kept, site.name: channel}))
            done += 1
        scores[site.name] = torch.tensor(found)
        kept[site.name] = int(scores[site.name].argmax())
    watch(total, total)
    return scores


@torch.inference_mode()
def _quality(
    sites: SiteNetwork, examples: Sequence[Example], bits: int, kept: dict[str, int]
) -> float:
    def visit(site: Site, a: Tensor, layer: nn.Module) -> Tensor:
        if site.name not in kept:
            return a
        quantized = fit_uniform(a, bits, site.channel_dim)(a)
        channel = kept[site.name]
        quantized.select(site.channel_dim, channel).copy_(a.select(site.channel_dim, channel))
        return quantized

    found = [example.quality(sites.run(example.input, visit)) for example in examples]
    return torch.cat(found).mean().item()
