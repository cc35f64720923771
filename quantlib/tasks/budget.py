"""Entropy-coded activations that keep to their budget on the input at hand."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from torch import Tensor

from quantlib.evaluation.ledger import Ledger
from quantlib.importance.sampled import SampledActivations
from quantlib.ptq import QuantizedNetwork
from quantlib.quantizers.sizes import ByteSizes

SAFETY, USED, ATTEMPTS = 0.997, 0.97, 2  # how closely a budget is met

Made = TypeVar("Made")
Measured = tuple[Tensor, dict[str, ByteSizes]]


def within_budget(
    network: QuantizedNetwork,
    inputs: Sequence[Tensor],
    measure: Callable[[QuantizedNetwork], tuple[Made, dict[str, ByteSizes]]],
) -> tuple[Made, dict[str, ByteSizes]]:
    """What `measure` gives with steps that keep to the budget, tables and headers included.

    `inputs` are what the steps are estimated on, the whole input or parts of it; what the estimate
    of the bytes misses is made up for by measuring again.
    """
    sites, settings = network.site_network, network.settings
    budget = aim = settings.bits_per_activation
    seen = SampledActivations(sites, inputs)
    attempt = 0
    while True:
        quantizers = seen.within(network.frozen, aim)  # type: ignore[arg-type]
        output, sizes = measure(QuantizedNetwork(sites, settings, frozen=quantizers))
        spent = Ledger(sizes).bits_per_activation
        if spent <= budget and (spent >= USED * budget or attempt >= ATTEMPTS):
            return output, sizes
        aim *= SAFETY * budget / spent
        attempt += 1
