"""Quantized networks with free inputs, so that other quantizers can be put in RLQ's place."""

from collections import OrderedDict

from torch import Tensor, nn

from quantlib.qat.layers.copying import structural_copy
from quantlib.qat.layers.quantized import scaled
from quantlib.qat.rlq import RLQ
from quantlib.qat.scheme import quantized_layers


class Redistribution(nn.Module):
    """What a layer does before RLQ rounds: scales, x + τ, clipping to the range of the levels."""

    def __init__(self, scale: nn.Parameter | None, quantizer: RLQ) -> None:
        super().__init__()
        self.scale, self.quantizer = scale, quantizer

    def forward(self, x: Tensor) -> Tensor:
        return self.quantizer.redistribute(scaled(x, self.scale))


def with_free_inputs(network: nn.Module) -> nn.Module:
    """A copy of `network`, tensors shared, that rounds no activation any more.

    Weights stay quantized, shifts and clips stay; the input of every convolution or linear layer is
    what its quantizer would have rounded.
    """
    twin = structural_copy(network)
    for name, layer in quantized_layers(twin).items():
        quantizer, layer.activation = layer.activation, None
        if isinstance(quantizer, RLQ):
            parent, _, child = name.rpartition(".")
            steps: OrderedDict[str, nn.Module] = OrderedDict(
                redistribution=Redistribution(layer.input_scale, quantizer), layer=layer
            )
            layer.input_scale = None
            setattr(twin.get_submodule(parent), child, nn.Sequential(steps))
    return twin
