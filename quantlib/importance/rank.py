"""One function for every criterion."""

import time
from collections.abc import Callable, Sequence

import torch

from quantlib.errors import QuantlibError
from quantlib.importance.criteria import ONE_PASS, score
from quantlib.importance.example import Example
from quantlib.importance.greedy import Elsewhere, greedy
from quantlib.importance.ranking import Ranking
from quantlib.ptq.criteria import CRITERIA
from quantlib.ptq.sites import SiteNetwork


def rank(
    sites: SiteNetwork,
    examples: Sequence[Example],
    criterion: str = "fisher",
    bits: int = 3,
    extra_bits: int = 3,
    seed: int = 0,
    watch: Callable[[int, int], None] = lambda done, total: None,
    elsewhere: Elsewhere | None = None,
) -> Ranking:
    """Rank the channels of every site by `criterion` on pairs or labelled batches.

    `bits` and `extra_bits` matter to greedy and gain, `seed` to random. `watch(done, total)` is
    called as the work goes on; an exception that it raises ends the work. `elsewhere` tries the
    candidates of the greedy search.
    """
    if criterion not in CRITERIA:
        raise QuantlibError(
            f"There is no criterion {criterion!r}; choose one of {', '.join(CRITERIA)}."
        )
    started = time.perf_counter()
    if criterion == "random":
        generator = torch.Generator().manual_seed(seed)
        scores = {s.name: torch.rand(s.channels, generator=generator) for s in sites.sites}
    elif criterion in ONE_PASS:
        scores = score(sites, examples, [criterion], bits, extra_bits, watch)[criterion]
    else:
        scores = greedy(sites, examples, bits, watch, elsewhere)
    return Ranking(criterion, scores, time.perf_counter() - started)


def rank_by_all(
    sites: SiteNetwork,
    examples: Sequence[Example],
    bits: int = 3,
    extra_bits: int = 3,
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Ranking]:
    """The rankings of all criteria that take one pass, from one and the same.

    `seconds` of each is the time of all together.
    """
    started = time.perf_counter()
    found = score(sites, examples, list(ONE_PASS), bits, extra_bits, watch)
    seconds = time.perf_counter() - started
    return {criterion: Ranking(criterion, scores, seconds) for criterion, scores in found.items()}
