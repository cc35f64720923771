"""The paper's greedy ranking (DQA, algorithm 3), by PSNR or by accuracy."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from quantlib.importance.example import Example
from quantlib.ptq.resuming import ResumablePass
from quantlib.ptq.sites import Site, SiteNetwork
from quantlib.quantizers.uniform import fit_uniform

VALUES_AT_ONCE = 1 << 18  # of a site's input, all candidates of a batch together


def greedy(
    sites: SiteNetwork, examples: Sequence[Example], bits: int, watch: Callable[[int, int], None]
) -> dict[str, Tensor]:
    """Mean quality with every candidate channel: the one whose quantization is skipped.

    Layer by layer in order of execution, earlier layers are quantized except for their most
    important channel, the layer itself except for the candidate; later ones stay in FP32. What is
    the same for all candidates of a layer, the network before it, is computed once.
    """
    kept: dict[str, int] = {}

    def visit(site: Site, a: Tensor, layer: nn.Module) -> Tensor:
        return _except(a, _quantized(site, a, bits), site, kept[site.name])

    scores: dict[str, Tensor] = {}
    total, done = sum(site.channels for site in sites.sites), 0
    with torch.inference_mode():
        passes = [ResumablePass(sites, example.input, visit) for example in examples]
        for site in sites.sites:
            for one in passes:
                one.go_to(site)
            found = []
            for candidates in _batches(site, passes):
                watch(done, total)
                found.append(_qualities(site, passes, examples, candidates, bits))
                done += len(candidates)
            scores[site.name] = torch.cat(found)
            kept[site.name] = int(scores[site.name].argmax())
    watch(total, total)
    return scores


def _batches(site: Site, passes: Sequence[ResumablePass]) -> list[range]:
    """The channels, as many at once as fit."""
    largest = max(one.a.numel() for one in passes)
    batched = all(one.takes_batches for one in passes)
    size = max(VALUES_AT_ONCE // largest, 1) if batched else 1
    starts = range(0, site.channels, size)
    return [range(start, min(start + size, site.channels)) for start in starts]


def _qualities(
    site: Site,
    passes: Sequence[ResumablePass],
    examples: Sequence[Example],
    candidates: range,
    bits: int,
) -> Tensor:
    """Mean quality over the examples, one for each candidate."""
    found = []
    for one, example in zip(passes, examples, strict=True):
        quantized = _quantized(site, one.a, bits)
        tried = torch.cat([_except(one.a, quantized, site, c) for c in candidates])
        outputs = one.finish(tried).chunk(len(candidates))
        found.append(torch.stack([example.quality(output) for output in outputs]))
    return torch.cat(found, 1).mean(1)


def _quantized(site: Site, a: Tensor, bits: int) -> Tensor:
    return fit_uniform(a, bits, site.channel_dim)(a)


def _except(a: Tensor, quantized: Tensor, site: Site, channel: int) -> Tensor:
    """The quantized activation with one channel as it was."""
    made = quantized.clone()
    made.select(site.channel_dim, channel).copy_(a.select(site.channel_dim, channel))
    return made
