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
    """What both kinds of layer share. `activation` None leaves the input as it is.

    `input_scale` `(C,)` multiplies the channels of the input before they are quantized, and
    `output_scale` `(O,)` those of the output, by way of the quantized weights, so that one step
    suits them all. `weight` is what remains of the weights then. None stands for ones.
    """

    weight: Tensor
    bias: Tensor | None
    scheme: "Scheme"
    activation: LearnedQuantizer | None
    weight_quantizer: LearnedQuantizer
    input_scale: nn.Parameter | None
    output_scale: nn.Parameter | None

    def quantized_weight(self) -> Tensor:
        levels = self.weight_quantizer(self.weight)
        if self.output_scale is None:
            return levels
        return levels * self.output_scale.view(-1, *[1] * (levels.dim() - 1))

    def quantized_input(self, x: Tensor) -> Tensor:
        x = scaled(x, self.input_scale)
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


def scaled(x: Tensor, scale: Tensor | None) -> Tensor:
    """The channels of `x` (axis 1, the last of tensors with fewer than four axes) times `scale`.

    >>> scaled(torch.ones(1, 2), torch.tensor([1.0, 3.0]))
    tensor([[1., 3.]])
    """
    if scale is None:
        return x
    return x * scale.view(-1, *[1] * (x.dim() - 2 if x.dim() == 4 else 0))


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
