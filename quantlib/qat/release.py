"""Quantized networks with free inputs, so that other quantizers can be put in RLQ's place."""

import copy
from collections import OrderedDict
from itertools import chain

from torch import Tensor, nn

from quantlib.qat.layers import QuantConv2d, QuantLinear
from quantlib.qat.rlq import RLQ
from quantlib.qat.scheme import quantized_layers


class Redistribution(nn.Module):
    """What RLQ does before it rounds: x + τ, clipped to the range of its levels."""

    def __init__(self, quantizer: RLQ) -> None:
        super().__init__()
        self.quantizer = quantizer

    def forward(self, x: Tensor) -> Tensor:
        return self.quantizer.redistribute(x)


def with_free_inputs(network: nn.Module) -> nn.Module:
    """A copy of `network`, tensors shared, that rounds no activation any more.

    Weights stay quantized, shifts and clips stay; the input of every convolution or linear layer is
    what its quantizer would have rounded.
    """
    shared = chain(network.parameters(), network.buffers())
    twin = copy.deepcopy(network, {id(tensor): tensor for tensor in shared})
    for name, layer in quantized_layers(twin).items():
        parent, _, child = name.rpartition(".")
        plain = _plain(layer)
        if isinstance(layer.activation, RLQ):
            before = Redistribution(layer.activation)
            plain = nn.Sequential(OrderedDict(redistribution=before, layer=plain))
        setattr(twin.get_submodule(parent), child, plain)
    return twin


def _plain(layer: QuantConv2d | QuantLinear) -> nn.Module:
    kind = nn.Conv2d if isinstance(layer, QuantConv2d) else nn.Linear
    plain = kind.__new__(kind)
    nn.Module.__init__(plain)
    left_out = {"_modules", "_parameters", "scheme"}
    plain.__dict__.update({k: v for k, v in layer.__dict__.items() if k not in left_out})
    plain.weight = nn.Parameter(layer.quantized_weight().detach(), requires_grad=False)
    plain.bias = layer.bias
    return plain
