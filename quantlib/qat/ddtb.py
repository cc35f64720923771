"""DDTB, Dynamic Dual Trainable Bounds (Zhong et al., ECCV 2022; code: github.com/zysxmu/DDTB)."""

import torch
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.qat.clipped import ClippedQuantizer
from quantlib.qat.quantizer import Grid
from quantlib.quantizers.bitwidth import BitWidth

TAIL = 0.01  # of the values beyond each bound
HIDDEN = 32


class DDTB(ClippedQuantizer):
    """Clips activations to learned bounds [l, u], in 2^b - 1 steps; zero between them is a level.

    Every value moves the bounds, by its clipping or its rounding error. They start at the 1st and
    the 99th percentile of the first tensor. With `gate`, meant for the layers whose range varies
    most between images, a small network looks at each image's mean per channel (of `channels`, on
    axis 1, the last of tensors with fewer than four axes) and scales each bound by 0 to 2; then
    the levels differ from image to image, and `grid` and `encode` take one image at a time.

    The released gate has 2-bit weights and a batch norm, and its first layer gets no gradient; it
    is switched on after six epochs. Here it is in full precision, without batch norm, learns in
    both layers and starts by scaling by 1.

    >>> quantizer = DDTB(2)
    >>> quantizer(torch.linspace(-1, 2, 301)).detach().unique().round(decimals=2)
    tensor([-0.9800,  0.0000,  0.9800,  1.9600])
    """

    method = "ddtb"
    learns_from_error = True

    def __init__(self, bits: int, channels: int = 0, gate: bool = False) -> None:
        super().__init__(bits)
        self.raw_lower = nn.Parameter(torch.tensor(-1.0))
        self.raw_upper = nn.Parameter(torch.tensor(1.0))
        self.gate = Gate(channels) if gate else None

    @property
    def bitwidth(self) -> BitWidth:
        return BitWidth(self.bits, signed=False)

    def start_from(self, x: Tensor) -> None:
        lower, upper = middle(x.float())
        if lower == upper:
            lower, upper = x.aminmax()
        self.raw_lower.copy_(lower)
        self.raw_upper.copy_(upper)

    def bounds(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """`()` each, or `(N,)` with a gate; the smaller one is the lower, whatever was learned."""
        lower, upper = self.raw_lower, self.raw_upper
        if self.gate is not None:
            scales = self.gate(x)
            lower, upper = lower * scales[:, 0], upper * scales[:, 1]
        return torch.minimum(lower, upper), torch.maximum(lower, upper)

    def grid(self, x: Tensor) -> Grid:
        grid = super().grid(x)
        if grid.step.numel() > 1:
            raise QuantlibError(
                "DDTB's gate gives every image levels of its own; take one image at a time."
            )
        return Grid(grid.bitwidth, grid.step.view(()), grid.offset.view(()))


class DDTBWeight(ClippedQuantizer):
    """Weights in 2^b - 1 steps between their 1st and 99th percentile, taken anew in every pass.

    >>> DDTBWeight(2)(torch.linspace(-1, 2, 301)).unique().round(decimals=2)
    tensor([-0.9800,  0.0000,  0.9800,  1.9600])
    """

    method = "ddtb"

    @property
    def bitwidth(self) -> BitWidth:
        return BitWidth(self.bits, signed=False)

    def bounds(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return middle(x.detach())


class Gate(nn.Module):
    """An image's mean per channel to two factors in (0, 2), both 1 at the start.

    >>> Gate(8)(torch.ones(2, 8, 5, 5))
    tensor([[1., 1.],
            [1., 1.]], grad_fn=<MulBackward0>)
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(channels, HIDDEN, bias=False), nn.ReLU(), nn.Linear(HIDDEN, 2, bias=False)
        )
        nn.init.zeros_(self.layers[2].weight)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """`(N, 2)`; the pooled values pass no gradient on, as in the released code."""
        channel = 1 if x.dim() == 4 else x.dim() - 1
        others = [axis for axis in range(1, x.dim()) if axis != channel]
        pooled = x.detach().float()
        pooled = pooled.mean(others) if others else pooled
        with torch.autocast(x.device.type, enabled=False):
            return 2 * torch.sigmoid(self.layers(pooled))


def middle(x: Tensor) -> tuple[Tensor, Tensor]:
    """The 1st and the 99th percentile of all values, interpolated, `()` each.

    >>> middle(torch.linspace(0, 5, 101))
    (tensor(0.0500), tensor(4.9500))
    """
    lower, upper = x.flatten().quantile(x.new_tensor([TAIL, 1 - TAIL]))
    return lower, upper
