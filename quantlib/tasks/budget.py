"""Entropy-coded activations that keep to their budget on the input at hand."""

from collections.abc import Callable, Sequence
from itertools import count

from torch import Tensor

from quantlib.evaluation.ledger import Ledger
from quantlib.importance.sampled import SampledActivations
from quantlib.ptq import QuantizedNetwork
from quantlib.quantizers.sizes import ByteSizes

SAFETY, USED, ATTEMPTS = 0.997, 0.97, 2  # how closely a budget is met

Measured = tuple[Tensor, dict[str, ByteSizes]]


def within_budget(
    network: QuantizedNetwork,
    inputs: Sequence[Tensor],
    measure: Callable[[QuantizedNetwork], Measured],
) -> Measured:
    """What `measure` gives with steps that keep to the budget, tables and headers included.

    `inputs` are what the steps are estimated on, the whole input or parts of it; what the estimate
    of the bytes misses is made up for by measuring again.
    """
    sites, settings = network.site_network, network.settings
    budget = aim = settings.bits_per_activation
    seen = SampledActivations(sites, inputs)
    for attempt in count():
        quantizers = seen.within(network.frozen, aim)  # type: ignore[arg-type]
        output, sizes = measure(QuantizedNetwork(sites, settings, frozen=quantizers))
        spent = Ledger(sizes).bits_per_activation
        if spent <= budget and (spent >= USED * budget or attempt >= ATTEMPTS):
            break
        aim *= SAFETY * budget / spent
    return output, sizes
