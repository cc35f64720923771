"""The byte ledger: what every activation of a network costs, site by site."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from quantlib.qat.scheme import quantized_layers
from quantlib.quantizers.sizes import ByteSizes


@dataclass(frozen=True, eq=False)
class Ledger:
    """Bytes per activation site, in order of execution.

    >>> Ledger({"a": ByteSizes(fp32=32, codes=3), "b": ByteSizes(fp32=32, codes=5)}).total.codes
    8
    """

    sites: Mapping[str, ByteSizes]

    @property
    def total(self) -> ByteSizes:
        return sum(self.sites.values(), ByteSizes())

    @property
    def bits_per_activation(self) -> float:
        return self.total.bits_per_activation

    @property
    def ratio(self) -> float:
        """How many times smaller than FP32."""
        total = self.total
        return total.fp32 / total.total if total.total else 1.0

    @property
    def left(self) -> dict[str, ByteSizes]:
        """The sites whose activations count with all of their 32 bits: nothing quantizes them.

        >>> list(Ledger({"a": ByteSizes(fp32=32, codes=4), "b": ByteSizes(32, 32)}).left)
        ['b']
        """
        return {name: sizes for name, sizes in self.sites.items() if sizes.total == sizes.fp32}

    def as_dict(self) -> dict[str, int]:
        """The parts in bytes under the names of the command line's JSON."""
        total = self.total
        parts = ("fp32", "codes", "refinement", "tables", "scales", "total")
        return {part: getattr(total, part) for part in parts}


def weight_sizes(network: nn.Module) -> ByteSizes:
    """Bytes of a network's weights and biases: packed where quantized, FP32 elsewhere."""
    layers = quantized_layers(network)
    packed = {f"{name}.weight" for name in layers}
    plain = sum(4 * p.numel() for name, p in network.named_parameters() if name not in packed)
    rest = ByteSizes(fp32=plain, codes=plain)
    return sum((layer.weight_sizes() for layer in layers.values()), rest)
