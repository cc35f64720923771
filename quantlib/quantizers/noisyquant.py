"""NoisyQuant: noisy-bias-enhanced quantization (Liu et al., CVPR 2023, arXiv 2211.16056).

A fixed noise is added before quantization and removed after it, which moves values away from the
edges of the quantization bins. Clip, mean and range of the noise are searched, layer by layer, for
the least squared error of the layer's output.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from quantlib.errors import QuantlibError
from quantlib.quantizers.bitwidth import BitWidth
from quantlib.quantizers.channels import along_channels, largest_magnitude, step_size
from quantlib.quantizers.packed import PackedTensor, pack_tensor, packed_sizes
from quantlib.quantizers.quantizer import Quantizer
from quantlib.quantizers.sizes import ByteSizes
from quantlib.quantizers.uniform import UniformQuantizer

Noise = Literal["uniform", "gaussian"]


@dataclass(frozen=True)
class SearchEffort:
    """Candidates tried for clip, mean and range. The released code tries 1000, 400 and 2000."""

    clips: int = 60
    means: int = 40
    ranges: int = 60


RELEASED_EFFORT = SearchEffort(clips=1000, means=400, ranges=2000)


@dataclass(frozen=True, eq=False)
class NoisyQuantizer(Quantizer):
    """x ≈ Q(x + N) - N with one scale per tensor and fixed noise N of shape `(C,)`.

    >>> noise = torch.tensor([0.125])
    >>> quantizer = NoisyQuantizer(torch.tensor(0.5), noise, BitWidth(3), channel_dim=1)
    >>> quantizer(torch.tensor([[0.5]])).item()
    0.375
    """

    scale: Tensor
    noise: Tensor
    bitwidth: BitWidth
    channel_dim: int = 1

    @property
    def _uniform(self) -> UniformQuantizer:
        return UniformQuantizer(self.scale, self.bitwidth)

    def _noise_for(self, x: Tensor) -> Tensor:
        return along_channels(self.noise, x, self.channel_dim)

    def __call__(self, x: Tensor) -> Tensor:
        noise = self._noise_for(x)
        return self._uniform(x + noise).sub_(noise)

    def to_int(self, x: Tensor) -> Tensor:
        return self._uniform.to_int(x + self._noise_for(x))

    def encode(self, x: Tensor) -> PackedTensor:
        codes, noise = self.to_int(x), self.noise
        return pack_tensor("uniform", codes, self.bitwidth, self.scale, self.channel_dim, noise)

    def measure(self, x: Tensor) -> tuple[Tensor, ByteSizes]:
        largest_magnitude(x, None)
        return self(x), packed_sizes(tuple(x.shape), self.bitwidth, 1, self.noise.numel())


def fit_noisyquant(
    rows: Tensor,
    weight: Tensor,
    bits: int,
    channel_dim: int = 1,
    noise: Noise = "uniform",
    effort: SearchEffort | None = None,
    seed: int = 0,
) -> NoisyQuantizer:
    """Search NoisyQuant's clip, mean and range on a sample of a layer's input.

    `rows` is `(P, C, K)`: P places of the input, C channels, K kernel taps (1 for a linear layer);
    `weight` is `(O, C, K)`. The error is that of the layer's output, Σ(W·Q(x+N) - W·N - W·x)².
    `noise` is "uniform" on [-1, 1] as in the paper, or "gaussian", 2·randn - 1, as in the released
    code; either times the step size.
    """
    if noise not in ("uniform", "gaussian"):
        raise QuantlibError(f"There is no noise {noise!r}; choose uniform or gaussian.")
    effort = effort or SearchEffort()
    bitwidth = BitWidth(bits)
    flat = weight.flatten(1).T

    def output_error(scale: Tensor, offset: Tensor) -> float:
        shifted = offset.view(1, -1, 1)
        error = UniformQuantizer(scale, bitwidth)(rows + shifted).sub_(shifted).sub_(rows)
        return (error.flatten(1) @ flat).square_().sum().item()

    largest = largest_magnitude(rows, None)
    silence = rows.new_zeros(rows.shape[1])
    scales = [
        step_size(largest * (i + 1) / effort.clips, bitwidth.qmax or 1) for i in range(effort.clips)
    ]
    scale = _least(scales, lambda s: output_error(s, silence))
    half = max(effort.means // 2, 1)
    means = [silence + scale * (i / half) for i in range(-half, half + 1)]
    mean = _least(means, lambda offset: output_error(scale, offset))
    generator = torch.Generator().manual_seed(seed)
    shape = (rows.shape[1],)
    if noise == "uniform":
        unit = torch.rand(shape, generator=generator) * 2 - 1
    else:
        unit = torch.randn(shape, generator=generator) * 2 - 1
    offsets = [mean + unit * scale * (2 * i / effort.ranges) for i in range(effort.ranges)]
    offset = _least(offsets, lambda candidate: output_error(scale, candidate))
    return NoisyQuantizer(scale, offset, bitwidth, channel_dim)


def _least(candidates: list[Tensor], error: Callable[[Tensor], float]) -> Tensor:
    return min(candidates, key=error)
