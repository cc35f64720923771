"""Power-of-two quantization: levels 0 and ±max·2^-j, logarithmic in magnitude."""

from dataclasses import dataclass

import torch
from torch import Tensor

from quantlib.errors import QuantlibError
from quantlib.quantizers.bitwidth import BitWidth
from quantlib.quantizers.channels import (
    along_channels,
    largest_magnitude,
    step_size,
)
from quantlib.quantizers.packed import (
    PackedTensor,
    pack_tensor,
    packed_sizes,
    power_of_two_values,
)
from quantlib.quantizers.quantizer import Quantizer
from quantlib.quantizers.sizes import ByteSizes


@dataclass(frozen=True, eq=False)
class PowerOfTwoQuantizer(Quantizer):
    """n-bit codes 0, ±1 … ±J for the values 0, ±scale·2^(1-J) … ±scale, J = 2^(n-1) - 1.

    Values are rounded in the logarithm; below half of the smallest level they become zero.

    >>> quantizer = PowerOfTwoQuantizer(torch.tensor(1.0), BitWidth(3))
    >>> quantizer(torch.tensor([-1.0, 0.6, 0.3, 0.2, 0.1])).tolist()
    [-1.0, 0.5, 0.25, 0.25, 0.0]
    """

    scale: Tensor
    bitwidth: BitWidth
    channel_dim: int | None = None

    def _codes(self, x: Tensor) -> Tensor:
        relative = x / along_channels(self.scale, x, self.channel_dim)
        smallest = 2.0 ** (1 - self.bitwidth.qmax)
        magnitude = relative.abs()
        exponent = torch.round(torch.log2(magnitude.clamp_min(smallest / 2)))
        code = (exponent + self.bitwidth.qmax).clamp_(1, self.bitwidth.qmax)
        return torch.sign(relative) * code * (magnitude >= smallest / 2)

    def __call__(self, x: Tensor) -> Tensor:
        values = power_of_two_values(self._codes(x), self.bitwidth)
        return values * along_channels(self.scale, x, self.channel_dim)

    def to_int(self, x: Tensor) -> Tensor:
        return self._codes(x).int()

    def encode(self, x: Tensor) -> PackedTensor:
        codes = self._codes(x)
        return pack_tensor("power-of-two", codes, self.bitwidth, self.scale, self.channel_dim)

    def measure(self, x: Tensor) -> tuple[Tensor, ByteSizes]:
        return self(x), packed_sizes(tuple(x.shape), self.bitwidth, self.scale.numel())


def fit_power_of_two(x: Tensor, bits: int, channel_dim: int | None = None) -> PowerOfTwoQuantizer:
    """The power-of-two quantizer for `x`: its largest level is max|x|. Needs at least 2 bits.

    >>> fit_power_of_two(torch.tensor([0.5, -2.0]), 3).scale.item()
    2.0
    """
    if bits < 2:
        raise QuantlibError("Power-of-two quantization needs at least 2 bits.")
    scale = step_size(largest_magnitude(x, channel_dim), 1)
    return PowerOfTwoQuantizer(scale, BitWidth(bits), channel_dim)
