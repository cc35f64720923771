"""Uniform quantization: the *direct* quantizer of the DQA paper and its fair baselines."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from quantlib.errors import QuantlibError
from quantlib.quantizers.bitwidth import BitWidth
from quantlib.quantizers.channels import (
    along_channels,
    by_channel,
    largest_magnitude,
    step_size,
)
from quantlib.quantizers.packed import PackedTensor, pack_tensor, packed_sizes
from quantlib.quantizers.quantizer import Quantizer
from quantlib.quantizers.sizes import ByteSizes

Clip = Literal["max", "percentile", "mse"]
CLIPS: tuple[Clip, ...] = ("max", "percentile", "mse")
PERCENTILE = 99.9
MSE_FRACTIONS = torch.linspace(0.3, 1.0, 29)


@dataclass(frozen=True, eq=False)
class UniformQuantizer(Quantizer):
    """x ≈ scale · q with q = clip(round(x / scale), qmin, qmax).

    `scale` is a scalar (per tensor, `channel_dim` None) or `(C,)` (per channel).

    >>> x = torch.tensor([-1.0, -0.3, 0.2, 1.0])
    >>> quantizer = UniformQuantizer(torch.tensor(0.25), BitWidth(3))
    >>> quantizer.to_int(x).tolist(), quantizer(x).tolist()
    ([-4, -1, 1, 3], [-1.0, -0.25, 0.25, 0.75])
    >>> quantizer.encode(x).decode().tolist()
    [-1.0, -0.25, 0.25, 0.75]
    """

    scale: Tensor
    bitwidth: BitWidth
    channel_dim: int | None = None

    def _codes(self, x: Tensor) -> Tensor:
        q = x / along_channels(self.scale, x, self.channel_dim)
        return q.round_().clamp_(self.bitwidth.qmin, self.bitwidth.qmax)

    def __call__(self, x: Tensor) -> Tensor:
        return self._codes(x).mul_(along_channels(self.scale, x, self.channel_dim))

    def to_int(self, x: Tensor) -> Tensor:
        return self._codes(x).int()

    def encode(self, x: Tensor) -> PackedTensor:
        codes = self._codes(x)
        return pack_tensor("uniform", codes, self.bitwidth, self.scale, self.channel_dim)

    def measure(self, x: Tensor) -> tuple[Tensor, ByteSizes]:
        return self(x), packed_sizes(tuple(x.shape), self.bitwidth, self.scale.numel())


def fit_uniform(
    x: Tensor,
    bits: int,
    channel_dim: int | None = None,
    signed: bool = True,
    clip: Clip = "max",
) -> UniformQuantizer:
    """The uniform quantizer for `x`, per tensor or per channel.

    `clip` decides the range: "max" (DQA, equation 1: scale = max|A| / 2^(n-1)), "percentile" (the
    99.9th of |x|, or the maximum where that is zero) or "mse" (of 29
    fractions of the maximum the one with the least squared error).
    `signed=False` is for activations after a ReLU: all 2^n levels lie at or above zero.

    >>> fit_uniform(torch.tensor([[1.0, -2.0], [0.5, 0.0]]), 3, channel_dim=0).scale.tolist()
    [0.5, 0.125]
    """
    bitwidth = BitWidth(bits, signed)
    magnitude = largest_magnitude(x, channel_dim)
    if clip == "percentile":
        clipped = _percentile(x, channel_dim).reshape(magnitude.shape)
        magnitude = torch.where(clipped > 0, clipped, magnitude)
    elif clip == "mse":
        magnitude = _least_squares(x, magnitude, bitwidth, channel_dim)
    elif clip != "max":
        raise QuantlibError(f"There is no clip {clip!r}; choose one of {', '.join(CLIPS)}.")
    return UniformQuantizer(step_size(magnitude, bitwidth.magnitude), bitwidth, channel_dim)


def _percentile(x: Tensor, channel_dim: int | None) -> Tensor:
    rows = by_channel(x.abs(), channel_dim)
    if not rows.shape[1]:
        return rows.new_zeros(rows.shape[0])
    rank = max(1, round(rows.shape[1] * PERCENTILE / 100))
    return rows.kthvalue(rank, dim=1).values


def _least_squares(
    x: Tensor, magnitude: Tensor, bitwidth: BitWidth, channel_dim: int | None
) -> Tensor:
    best, least = magnitude, torch.full_like(magnitude, torch.inf)
    for fraction in MSE_FRACTIONS:
        candidate = magnitude * fraction
        step = step_size(candidate, bitwidth.magnitude)
        error = UniformQuantizer(step, bitwidth, channel_dim)(x).sub_(x).square_()
        squared = by_channel(error, channel_dim).sum(1).reshape(magnitude.shape)
        best = torch.where(squared < least, candidate, best)
        least = torch.minimum(squared, least)
    return best
