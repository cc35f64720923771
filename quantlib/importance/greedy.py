"""The paper's greedy ranking (DQA, algorithm 3), by PSNR or by accuracy."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from quantlib.importance.example import Example
from quantlib.ptq.resuming import ResumablePass
from quantlib.ptq.sites import Site, SiteNetwork
from quantlib.quantizers.uniform import fit_uniform

VALUES_AT_ONCE = 1 << 18  # of a site's input, all candidates of a batch together


Kept = Sequence[int]
"""The most important channel of each layer before, in their order."""
Elsewhere = Callable[[Kept, Site, Sequence[range]], Iterable[Tensor]]
"""What gives the qualities of batches of a layer's candidates, in their order."""


def greedy(
    sites: SiteNetwork,
    examples: Sequence[Example],
    bits: int,
    watch: Callable[[int, int], None],
    elsewhere: Elsewhere | None = None,
) -> dict[str, Tensor]:
    """Mean quality with every candidate channel: the one whose quantization is skipped.

    Layer by layer in order of execution, earlier layers are quantized except for their most
    important channel, the layer itself except for the candidate; later ones stay in FP32. What is
    the same for all candidates of a layer, the network before it, is computed once; candidates are
    tried several at once, and side by side on as many cores as PyTorch has threads, or `elsewhere`.
    """
    search = Search(sites, examples, bits)
    scores: dict[str, Tensor] = {}
    total, done = sum(site.channels for site in sites.sites), 0
    with torch.inference_mode(), _one_core_each() as pool:
        for site in sites.sites:
            search.go_to(site)
            batches, found = search.batches(site), []
            tried = (elsewhere or search.on(pool))(search.kept, site, batches)
            for candidates, qualities in zip(batches, tried, strict=True):
                watch(done, total)
                found.append(qualities)
                done += len(candidates)
            scores[site.name] = torch.cat(found)
            search.keep(int(scores[site.name].argmax()))
    watch(total, total)
    return scores


class Search:
    """The examples on their way through the layers, as far as channels have been chosen."""

    def __init__(self, sites: SiteNetwork, examples: Sequence[Example], bits: int) -> None:
        self.sites, self.examples, self.bits = sites, examples, bits
        self._kept: dict[str, int] = {}
        self.passes = [ResumablePass(sites, example.input, self._visit) for example in examples]

    @property
    def kept(self) -> tuple[int, ...]:
        return tuple(self._kept.values())

    def keep(self, channel: int) -> None:
        """What the next layer's most important channel is, so that the search may pass it."""
        self._kept[self.sites.sites[len(self._kept)].name] = channel

    def go_to(self, site: Site) -> None:
        for one in self.passes:
            one.go_to(site)

    def follow(self, kept: Kept) -> None:
        """To the layer after those whose channels are `kept`, the first of which are its own."""
        for channel in kept[len(self._kept) :]:
            self.go_to(self.sites.sites[len(self._kept)])
            self.keep(channel)
        self.go_to(self.sites.sites[len(self._kept)])

    def batches(self, site: Site) -> list[range]:
        """The channels, as many at once as fit."""
        largest = max(one.a.numel() for one in self.passes)
        batched = all(one.takes_batches for one in self.passes)
        size = max(VALUES_AT_ONCE // largest, 1) if batched else 1
        starts = range(0, site.channels, size)
        return [range(start, min(start + size, site.channels)) for start in starts]

    def qualities(self, site: Site, candidates: range) -> Tensor:
        """What each of the candidates gives, `(K,)`."""
        return torch.cat([work() for work in self._work(site, candidates)], 1).mean(1)

    def on(self, pool: ThreadPoolExecutor) -> Elsewhere:
        """The qualities from threads."""

        def tried(kept: Kept, site: Site, batches: Sequence[range]) -> Iterator[Tensor]:
            begun = [[pool.submit(work) for work in self._work(site, batch)] for batch in batches]
            for by_example in begun:
                yield torch.cat([one.result() for one in by_example], 1).mean(1)

        return tried

    def _work(self, site: Site, candidates: range) -> list[Callable[[], Tensor]]:
        together = zip(self.passes, self.examples, strict=True)
        return [
            partial(_qualities, site, one, example, candidates, self.bits)
            for one, example in together
        ]

    def _visit(self, site: Site, a: Tensor, layer: nn.Module) -> Tensor:
        return _except(a, _quantized(site, a, self.bits), site, self._kept[site.name])


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
