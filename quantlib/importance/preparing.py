"""From settings to a quantized network: rank, calibrate or allocate, whatever the method needs."""

from collections.abc import Callable, Mapping, Sequence

from quantlib.importance.allocation import allocate
from quantlib.importance.example import Example
from quantlib.importance.rank import rank
from quantlib.importance.ranking import Ranking
from quantlib.ptq import QuantizedNetwork, Settings, SiteNetwork, quantize
from quantlib.quantizers.entropy import EntropyQuantizer

ALLOCATION_PICTURES, ALLOCATION_BITS = 64, 2.0
ALLOCATION_EXAMPLES = 4  # that each may hold several pictures


def prepare(
    sites: SiteNetwork,
    settings: Settings,
    examples: Sequence[Example],
    ranking: Ranking | None = None,
    steps: Mapping[str, EntropyQuantizer] | None = None,
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> QuantizedNetwork:
    """Rank the channels if the method needs it, calibrate if it has to be, and quantize.

    `ranking` and `steps` are what they have been found to be before, if they have.
    """
    if settings.entry.budgeted:
        return QuantizedNetwork(sites, settings, frozen=steps or steps_for(sites, examples, watch))
    if settings.needs_ranking and ranking is None:
        ranking = rank(
            sites, examples, settings.criterion, settings.bits, settings.extra_bits, watch=watch
        )
    masks = ranking.masks(settings.important) if ranking and settings.needs_ranking else None
    return quantize(sites, settings, masks, [example.input for example in examples])


def steps_for(
    sites: SiteNetwork,
    examples: Sequence[Example],
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, EntropyQuantizer]:
    """The proportions of entropy-coded steps; every input multiplies them to meet its budget."""
    each = ALLOCATION_PICTURES // ALLOCATION_EXAMPLES
    inputs = [example.input[:each] for example in examples[:ALLOCATION_EXAMPLES]]
    return allocate(sites, inputs, ALLOCATION_BITS, watch)
