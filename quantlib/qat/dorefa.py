"""DoReFa-Net's quantizers (Zhou et al., arXiv 1606.06160)."""

import torch
from torch import Tensor

from quantlib.qat.clipped import SMALLEST_RANGE, ClippedQuantizer, clip_and_round
from quantlib.qat.quantizer import Grid, LearnedQuantizer
from quantlib.quantizers.bitwidth import BitWidth


class DoReFa(ClippedQuantizer):
    """Clips activations to [0, 1] and rounds to 2^b - 1 steps; nothing is learned.

    Signed inputs, which the paper does not have, are clipped to [-1, 1] in 2^(b-1) - 1 steps to
    each side.

    >>> DoReFa(2, signed=False)(torch.tensor([-1.0, 0.3, 7.0]))
    tensor([0.0000, 0.3333, 1.0000])
    """

    method = "dorefa"

    def __init__(self, bits: int, signed: bool | None = None) -> None:
        super().__init__(bits, signed)

    def bounds(self, x: Tensor) -> tuple[Tensor, Tensor]:
        one = torch.ones((), device=x.device)
        return -one if self.signed else torch.zeros_like(one), one


class DoReFaWeight(LearnedQuantizer):
    """2 · round(n · (t / 2m + ½)) / n - 1 with t = tanh(w), m = max|t| and n = 2^b - 1.

    The levels lie evenly from -1 to 1, and zero is none of them. The gradient passes the rounding,
    not tanh and the maximum. As published the weights lose their scale, for batch norm to restore.
    `keep_scale` multiplies by m, which gives back tanh(w), w but for its third order, with many
    bits; networks without batch norm need it.

    >>> DoReFaWeight(2)(torch.tensor([-0.02, -0.01, 0.001, 0.02])).mul(3).round()
    tensor([-3., -1.,  1.,  3.])
    """

    method = "dorefa"

    def __init__(self, bits: int, keep_scale: bool = False) -> None:
        super().__init__(bits)
        self.keep_scale = keep_scale

    @property
    def bitwidth(self) -> BitWidth:
        return BitWidth(self.bits, signed=False)

    def start_from(self, x: Tensor) -> None:
        """The largest weight of every pass sets the range."""

    def quantize(self, x: Tensor) -> Tensor:
        squashed = torch.tanh(x)
        if not self.keep_scale:
            squashed = squashed / squashed.abs().max().clamp_min(SMALLEST_RANGE)
        grid, highest = self.grid(x), self.bitwidth.qmax
        scale = -grid.offset
        return clip_and_round(squashed, -scale, scale, grid, (0, highest))

    @torch.no_grad()
    def grid(self, x: Tensor) -> Grid:
        scale = torch.tanh(x).abs().max().clamp_min(SMALLEST_RANGE)
        if not self.keep_scale:
            scale = torch.ones_like(scale)
        return Grid(self.bitwidth, 2 * scale / self.bitwidth.qmax, -scale)
