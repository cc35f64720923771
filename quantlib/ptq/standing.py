"""What stands at a site whatever comes: nothing, or what the network itself has learned."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import Tensor

from quantlib.errors import QuantlibError
from quantlib.ptq.sites import Site, SiteNetwork
from quantlib.qat.quantizer import LearnedQuantizer
from quantlib.quantizers.quantizer import EncodedTensor, Quantizer
from quantlib.quantizers.sizes import ByteSizes


class Unquantized(Quantizer):
    """FP32: values stay as they are.

    >>> import torch
    >>> Unquantized().measure(torch.zeros(1, 2, 3, 3))[1].total
    72
    """

    def __call__(self, x: Tensor) -> Tensor:
        return x

    def to_int(self, x: Tensor) -> Tensor:
        raise not_encoded()

    def encode(self, x: Tensor) -> EncodedTensor:
        raise not_encoded()

    def encode_each(self, site: str, x: Tensor) -> dict[str, EncodedTensor]:
        return {}

    def measure(self, x: Tensor) -> tuple[Tensor, ByteSizes]:
        return x, unquantized_sizes(x)


@dataclass(frozen=True, eq=False)
class Learned(Quantizer):
    """The quantizers that the layers of a site bring along, by layer; values pass, they quantize.

    Every layer stores codes of its own.
    """

    by_layer: Mapping[str, LearnedQuantizer]

    def __call__(self, x: Tensor) -> Tensor:
        return x

    def to_int(self, x: Tensor) -> Tensor:
        raise QuantlibError("Each layer makes codes of its own; ask the layer's quantizer.")

    def encode(self, x: Tensor) -> EncodedTensor:
        first, *_ = self.by_layer.values()
        return first.encode(x)

    def encode_each(self, site: str, x: Tensor) -> dict[str, EncodedTensor]:
        return {name: quantizer.encode(x) for name, quantizer in self.by_layer.items()}

    def measure(self, x: Tensor) -> tuple[Tensor, ByteSizes]:
        spent = sum((quantizer.sizes(x) for quantizer in self.by_layer.values()), ByteSizes())
        return x, replace(spent, fp32=4 * x.numel())


def not_encoded() -> QuantlibError:
    """What a person hears who asks for the codes of FP32 activations."""
    return QuantlibError("FP32 activations are not encoded; choose a quantization method.")


def unquantized(sites: SiteNetwork, site: Site) -> Quantizer:
    return Unquantized()


def learned(sites: SiteNetwork, site: Site) -> Quantizer:
    """What the network was trained with at `site`; FP32 where it has nothing there."""
    found = sites.learned_quantizers(site)
    return Learned(found) if found else Unquantized()


def unquantized_sizes(x: Tensor) -> ByteSizes:
    """What an activation costs in FP32."""
    return ByteSizes(fp32=4 * x.numel(), codes=4 * x.numel())
