"""Convolutions and linear layers whose weights and inputs are quantized."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from quantlib.qat.quantizer import LearnedQuantizer
from quantlib.qat.stored import StoredWeight
from quantlib.quantizers.packed import PackedTensor
from quantlib.quantizers.sizes import ByteSizes

if TYPE_CHECKING:
    from quantlib.qat.scheme import Scheme


class _Quantized(nn.Module):
    """What both kinds of layer share. `activation` None leaves the input as it is."""

    weight: Tensor
    bias: Tensor | None
    scheme: "Scheme"
    activation: LearnedQuantizer | None
    weight_quantizer: LearnedQuantizer

    def quantized_weight(self) -> Tensor:
        return self.weight_quantizer(self.weight)

    def quantized_input(self, x: Tensor) -> Tensor:
        return x if self.activation is None else self.activation(x)

    @torch.no_grad()
    def encode_weight(self) -> PackedTensor:
        """The weights as packed integers with their step."""
        return self.weight_quantizer.encode(self.weight)

    @torch.no_grad()
    def store_weight(self, packed: PackedTensor) -> None:
        """Puts packed weights in; they are what the layer computes with from now on."""
        self.weight.copy_(packed.decode())
        self.weight_quantizer = StoredWeight(packed)

    def weight_sizes(self) -> ByteSizes:
        return self.weight_quantizer.sizes(self.weight)


class QuantConv2d(_Quantized, nn.Conv2d):
    """A convolution `(N, C, H, W)` → `(N, O, H', W')` of quantized inputs and quantized weights."""

    def forward(self, input: Tensor) -> Tensor:
        x, weight = self.quantized_input(input), self.quantized_weight()
        return self._conv_forward(x, weight.to(x.dtype), self.bias)


class QuantLinear(_Quantized, nn.Linear):
    """A linear layer `(…, C)` → `(…, O)` of quantized inputs and quantized weights."""

    def forward(self, input: Tensor) -> Tensor:
        x, weight = self.quantized_input(input), self.quantized_weight()
        return functional.linear(x, weight.to(x.dtype), self.bias)
