"""The paper's greedy ranking (DQA, algorithm 3), by PSNR or by accuracy."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

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
    the same for all candidates of a layer, the network before it, is computed once; candidates are
    tried several at once, and side by side on as many cores as PyTorch has threads.
    """
    kept: dict[str, int] = {}

    def visit(site: Site, a: Tensor, layer: nn.Module) -> Tensor:
        return _except(a, _quantized(site, a, bits), site, kept[site.name])

    scores: dict[str, Tensor] = {}
    total, done = sum(site.channels for site in sites.sites), 0
    with torch.inference_mode(), _one_core_each() as pool:
        passes = [ResumablePass(sites, example.input, visit) for example in examples]
        for site in sites.sites:
            for one in passes:
                one.go_to(site)
            batches = _batches(site, passes)
            begun = [
                [
                    pool.submit(_qualities, site, one, example, candidates, bits)
                    for one, example in zip(passes, examples, strict=True)
                ]
                for candidates in batches
            ]
            found = []
            for candidates, by_example in zip(batches, begun, strict=True):
                watch(done, total)
                found.append(torch.cat([one.result() for one in by_example], 1).mean(1))
                done += len(candidates)
            scores[site.name] = torch.cat(found)
            kept[site.name] = int(scores[site.name].argmax())
    watch(total, total)
    return scores


@contextmanager
def _one_core_each() -> Iterator[ThreadPoolExecutor]:
    """Threads that compute on one core each; what waits for them is given up at the end."""
    cores = torch.get_num_threads()
    pool = ThreadPoolExecutor(cores, initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(cores)  # again what threads begin with


def _batches(site: Site, passes: Sequence[ResumablePass]) -> list[range]:
    """The channels, as many at once as fit."""
    largest = max(one.a.numel() for one in passes)
    batched = all(one.takes_batches for one in passes)
    size = max(VALUES_AT_ONCE // largest, 1) if batched else 1
    starts = range(0, site.channels, size)
    return [range(start, min(start + size, site.channels)) for start in starts]


@torch.inference_mode()
def _qualities(
    site: Site, halted: ResumablePass, example: Example, candidates: range, bits: int
) -> Tensor:
    """What each candidate gives, `(K, N)`: a row per candidate, a column per picture."""
    quantized = _quantized(site, halted.a, bits)
    tried = torch.cat([_except(halted.a, quantized, site, c) for c in candidates])
    outputs = halted.finish(tried).chunk(len(candidates))
    return torch.stack([example.quality(output) for output in outputs])


def _quantized(site: Site, a: Tensor, bits: int) -> Tensor:
    return fit_uniform(a, bits, site.channel_dim)(a)


def _except(a: Tensor, quantized: Tensor, site: Site, channel: int) -> Tensor:
    """The quantized activation with one channel as it was."""
    made = quantized.clone()
    made.select(site.channel_dim, channel).copy_(a.select(site.channel_dim, channel))
    return made
