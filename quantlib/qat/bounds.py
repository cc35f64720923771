"""Two bounds that are found after training: min-max, percentile, and 2DQuant's search (DOBI).

Source: 2DQuant (Liu et al., NeurIPS 2024, arXiv 2406.06649; code: github.com/Kai-Liu001/2DQuant).
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from quantlib.qat.clipped import SMALLEST_RANGE, TOLD_APART, ClippedQuantizer
from quantlib.qat.ddtb import middle
from quantlib.qat.quantizer import Grid
from quantlib.quantizers.bitwidth import BitWidth

CANDIDATES = 100
SAMPLE = 1 << 18  # values of a tensor that a search looks at
ONE_SIDED = 0.1  # of the largest value: what may lie below zero after a GELU or a softmax

Search = Callable[[Tensor, int], tuple[Tensor, Tensor]]


class Bounds(ClippedQuantizer):
    """clip(x, l, u) rounded to l + i (u - l) / (2^b - 1), whole numbers i, in the shape of `x`.

    `search` finds l and u from the first tensor and the bits: `extremes`, `percentiles` or `dobi`.
    Afterwards both can be learned (2DQuant's second stage): every value moves them, by its clipping
    or its rounding error.

    >>> quantizer = Bounds(2, extremes)
    >>> quantizer(torch.tensor([-1.0, 0.4, 0.6, 2.0])).tolist()
    [-1.0, 0.0, 1.0, 2.0]
    """

    method = "bounds"
    learns_from_error = True

    def __init__(self, bits: int, search: Search) -> None:
        super().__init__(bits)
        self.search = search
        self.raw_lower = nn.Parameter(torch.tensor(-1.0))
        self.raw_upper = nn.Parameter(torch.tensor(1.0))

    @property
    def bitwidth(self) -> BitWidth:
        return BitWidth(self.bits, signed=False)

    def start_from(self, x: Tensor) -> None:
        lower, upper = self.search(x.float(), self.bits)
        self.raw_lower.copy_(lower)
        self.raw_upper.copy_(upper)

    def bounds(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """`()` each; the smaller one is the lower, whatever was learned."""
        lower, upper = self.raw_lower, self.raw_upper
        return torch.minimum(lower, upper), torch.maximum(lower, upper)

    def levels(self, lower: Tensor, upper: Tensor) -> Grid:
        """The bounds themselves are levels; zero need not be one."""
        lower, upper = lower.detach(), upper.detach()
        resolved = torch.maximum(lower.abs(), upper.abs()) * TOLD_APART
        step = (upper - lower).clamp_min(SMALLEST_RANGE) / self.bitwidth.qmax
        return Grid(self.bitwidth, torch.maximum(step, resolved), lower)


def extremes(x: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """The smallest and the largest value, `()` each."""
    lower, upper = x.aminmax()
    return lower, upper


def percentiles(x: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """The 1st and the 99th percentile; the extremes where they coincide.

    >>> percentiles(torch.linspace(0, 5, 101), 4)
    (tensor(0.0500), tensor(4.9500))
    """
    lower, upper = middle(_sample(x))
    return (lower, upper) if lower < upper else extremes(x, bits)


def dobi(x: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """The bounds with the least squared rounding error among 100 that shrink from the extremes.

    Both ends move by 1/200 of the range each time. Of values that hardly go below zero, as after a
    softmax or a GELU, the lower end stays and the upper one moves by 1/100 (2DQuant, algorithm 1
    and its `one_direction_search`). An even sample of large tensors is looked at.

    >>> dobi(torch.tensor([-1.0, -0.5, 0.0, 0.5, 1.0]), 2)
    (tensor(-1.), tensor(1.))
    """
    lower, upper = extremes(x, bits)
    one_sided = bool(-lower <= ONE_SIDED * upper)
    part = torch.arange(CANDIDATES, dtype=x.dtype, device=x.device) / CANDIDATES
    part = part if one_sided else part / 2
    uppers = upper - part * (upper - lower)
    lowers = lower.expand(CANDIDATES) if one_sided else lower + part * (upper - lower)
    values = _sample(x)
    errors = [
        _rounded(values, low, high, bits).sub_(values).square_().sum()
        for low, high in zip(lowers, uppers, strict=True)
    ]
    best = int(torch.stack(errors).argmin())
    return lowers[best], uppers[best]


def _rounded(x: Tensor, lower: Tensor, upper: Tensor, bits: int) -> Tensor:
    step = ((upper - lower) / (2**bits - 1)).clamp_min(SMALLEST_RANGE)
    return x.clamp(lower, upper).sub_(lower).div_(step).round_().mul_(step).add_(lower)


def _sample(x: Tensor) -> Tensor:
    x = x.flatten()
    return x[:: -(-x.numel() // SAMPLE)]
