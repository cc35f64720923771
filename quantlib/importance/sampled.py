"""What entropy-coded activations would spend, estimated on those in full precision."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.importance.searching import fewest_octaves
from quantlib.ptq.sites import Site, SiteNetwork
from quantlib.quantizers.channels import by_channel
from quantlib.quantizers.entropy import EntropyQuantizer

SAMPLE = 1 << 11  # values of a channel
SPARE = 0.01  # of a budget, what may be left over
PER_BIT = 1.0  # what an octave of all steps brings

Quantizers = Mapping[str, EntropyQuantizer]


class SampledActivations:
    """What a network's sites see of `pictures` in full precision, some values of every channel.

    It answers quickly what quantizers would spend, and which steps keep to a budget; both to a
    few per cent, because quantized activations differ a little from these. `outputs` are what the
    network gives, `largest` the largest magnitudes by site.
    """

    @torch.inference_mode()
    def __init__(self, sites: SiteNetwork, pictures: Sequence[Tensor]) -> None:
        self.found: list[tuple[str, Tensor, int, int]] = []
        self.largest = {site.name: 0.0 for site in sites.sites}
        self.activations = 0

        def note(site: Site, a: Tensor, layer: nn.Module) -> Tensor:
            self.largest[site.name] = max(self.largest[site.name], largest_of(a))
            rows = by_channel(a, site.channel_dim)
            stride = -(-rows.shape[1] // SAMPLE)
            self.found.append((site.name, rows[:, ::stride].clone(), rows.shape[1], a.dim()))
            self.activations += a.numel()
            return a

        self.outputs = [sites.run(picture, note) for picture in pictures]

    def bits(self, quantizers: Quantizers) -> float:
        """Bits per activation."""
        spent = sum(
            quantizers[name].bits_of(rows, length, dimensions)
            for name, rows, length, dimensions in self.found
        )
        return spent / max(self.activations, 1)

    def within(self, quantizers: Quantizers, bits: float) -> dict[str, EntropyQuantizer]:
        """All steps times the smallest factor that keeps to about `bits` per activation."""
        return scaled(quantizers, self.factor_within(quantizers, bits))

    def factor_within(self, quantizers: Quantizers, bits: float) -> float:
        def attempt(octaves: float) -> tuple[float, float]:
            return 2**octaves, self.bits(scaled(quantizers, 2**octaves))

        factor, spent = fewest_octaves(attempt, lambda one: bits - one[1], SPARE * bits, PER_BIT)
        if spent > bits:
            raise too_few(bits, spent)
        return factor


def scaled(quantizers: Quantizers, factor: float) -> dict[str, EntropyQuantizer]:
    """The same quantizers with all steps times `factor`."""
    return {name: replace(one, steps=one.steps * factor) for name, one in quantizers.items()}


def largest_of(a: Tensor) -> float:
    low, high = a.aminmax() if a.numel() else (a.new_zeros(()), a.new_zeros(()))
    return max(-float(low), float(high))


def too_few(bits: float, least: float) -> QuantlibError:
    return QuantlibError(
        f"{bits:g} bits per activation are too few for this network and picture: its tables and "
        f"headers alone take {least:.3f}; allow more."
    )
