"""How far a network on integers agrees with the fake-quantized one that it is made of."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise

import torch
from torch import Tensor, nn

from quantlib.models.sr_network import SRNetwork
from quantlib.qat.layers.quantized import QuantConv2d, QuantLinear
from quantlib.qat.scheme import quantized_layers
from quantlib.runtime.layers import IntegerLayer, Quantize
from quantlib.runtime.lowering import lower


@torch.no_grad()
def decibels(x: Tensor, y: Tensor) -> float:
    """PSNR of pictures `float32` in [0, 1] against each other.

    >>> round(decibels(torch.zeros(4), torch.full((4,), 0.1)))
    20
    """
    return float(-10 * torch.log10((x.double() - y.double()).pow(2).mean()))


@torch.inference_mode()
def equal_codes(network: SRNetwork, x: Tensor) -> float:
    """The share of codes that agree at the layer where fewest do.

    Every integer layer of `network`, a chain of convolutions with RLQ, is fed what the
    fake-quantized one is fed.
    """
    layers = quantized_layers(network.network)
    with _seen_by(layers) as inputs:
        network(x)
    lowered, shares = lower(network.network).network, []
    integers = {name.rsplit(".", 1)[-1]: module for name, module in lowered.named_modules()}
    for name, after in pairwise(layers):
        made = integers["integer_" + name.replace(".", "_")]
        assert isinstance(made, IntegerLayer)
        codes = Quantize(made.grid)(inputs[name])
        shares.append(codes.int() + made.grid.qmin == _learned(layers[name], inputs[name]))
        if made.output is not None:
            expected = _learned(layers[after], inputs[after])
            shares.append(made(codes).int() + made.output.grid.qmin == expected)
    return float(torch.stack([share.float().mean() for share in shares]).min())


@contextmanager
def _seen_by(layers: Mapping[str, nn.Module]) -> Iterator[dict[str, Tensor]]:
    """What each of the layers is given while the context lasts."""
    inputs: dict[str, Tensor] = {}
    handles = []
    for name, layer in layers.items():

        def note(_: nn.Module, given: tuple[Tensor, ...], name: str = name) -> None:
            inputs[name] = given[0]

        handles.append(layer.register_forward_pre_hook(note))
    try:
        yield inputs
    finally:
        for handle in handles:
            handle.remove()


def _learned(layer: QuantConv2d | QuantLinear, x: Tensor) -> Tensor:
    assert layer.activation is not None
    return layer.activation.to_int(x)
