"""The network of `swinir.py`: spandrel's, with shortcuts around its groups.

With learned shortcuts around its residual Swin groups it is the network of QuantSR-T (Qin et al.,
QuantSR, NeurIPS 2023). Its code is not released; the groups are treated as the released QuantSR-C
treats its residual blocks: s·x + group(x), of which a skipped group leaves s·x.
"""

import warnings
from collections.abc import Iterator, Sequence
from typing import Any, Self

import torch
from spandrel.architectures.SwinIR.__arch.SwinIR import RSTB
from spandrel.architectures.SwinIR.__arch.SwinIR import SwinIR as AuthorsSwinIR
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.models.architectures.swinir import CONSTANTS
from quantlib.qat.depth import DepthDynamic

warnings.filterwarnings("ignore", "torch.meshgrid", UserWarning)  # spandrel's older form of it


class ResidualGroup(RSTB):
    """A residual Swin group with a learned shortcut: s·x + conv(layers(x)), tokens `(N, L, C)`."""

    shortcut: nn.Parameter

    def forward(self, x: Tensor, x_size: tuple[int, int]) -> Tensor:
        return super().forward(x, x_size) + (self.shortcut - 1) * x


class _Float32Conv2d(nn.Conv2d):
    """A convolution out of autocast: bfloat16 has fewer levels than an 8-bit picture."""

    def forward(self, input: Tensor) -> Tensor:
        if not any(map(torch.is_autocast_enabled, ("cpu", "cuda"))):
            return super().forward(input)
        with torch.autocast(input.device.type, enabled=False):
            return super().forward(input.float() if input.dtype == torch.bfloat16 else input)


class SwinIR(DepthDynamic, AuthorsSwinIR):
    """spandrel's SwinIR, whose residual groups can be skipped with `learnable_shortcuts`.

    `sizes` are spandrel's hyper-parameters. Takes RGB `float32 (N, 3, H, W)` in [0, 1] of 16 pixels
    a side or more, returns `scale` times the size. What follows from the window alone is not part
    of the state dict.

    >>> from quantlib.models.architectures.swinir import light
    >>> network = light(scale=2, features=12, groups=2, layers=2, heads=2)
    >>> network(torch.zeros(1, 3, 16, 24)).shape, network.receptive_radius
    (torch.Size([1, 3, 32, 48]), 23)
    """

    layers: nn.ModuleList
    window_size: int

    def __init__(self, learnable_shortcuts: bool = False, **sizes: Any) -> None:
        super().__init__(**sizes)
        self.scale = self.upscale // self.start_unshuffle
        for end in (self.conv_first, self.upsample[0] if self._is_light else None):
            if type(end) is nn.Conv2d:
                end.__class__ = _Float32Conv2d
        if learnable_shortcuts:
            for group in self.layers:
                group.__class__ = ResidualGroup
                group.shortcut = nn.Parameter(torch.tensor(1.0))
            self.register_buffer("block_order", torch.arange(len(self.layers)))
        for module in self.modules():
            module._non_persistent_buffers_set |= {*CONSTANTS} & module._buffers.keys()

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        if min(height, width) < self.window_size:
            raise QuantlibError(
                f"A picture of {width}×{height} pixels is smaller than the network's window of "
                f"{self.window_size}; enlarge it, or use the network that quantlib.models.load "
                "gives, which continues small pictures."
            )
        return super().forward(x)

    @property
    def _is_light(self) -> bool:
        return self.upsampler == "pixelshuffledirect"

    @property
    def residual_blocks(self) -> list[Any]:
        return list(self.layers)

    def with_residual_blocks(self, blocks: Sequence[nn.Module]) -> Self:
        return self.with_module("layers", nn.ModuleList(blocks))

    @property
    def receptive_radius(self) -> int:
        """Low-resolution pixels to each side that can change an output pixel, at the most."""
        reach = max(self._reach(position) for position in range(self.window_size))
        return reach * self.start_unshuffle

    def _reach(self, position: int) -> int:
        first = last = position
        for kind, size in self._spreads():
            if kind == "border":
                first, last = first - size, last + size
            else:
                window, shift = self.window_size, size
                first = (first + shift) // window * window - shift
                last = (last + shift) // window * window - shift + window - 1
        return max(position - first, last - position)

    def _spreads(self) -> Iterator[tuple[str, int]]:
        """From the output to the input: a convolution's border, or the shift of a layer's windows.

        Convolutions of the tail count as if they all saw low resolution.
        """
        outside = {name: m for name, m in self.named_children() if name not in ("layers", "lrelu")}
        tail = [module for name, module in outside.items() if name != "conv_first"]
        yield "border", sum(_border(module) for module in tail)
        for group in reversed(self.layers):
            if isinstance(group, RSTB):
                yield "border", _border(group.conv)
                for layer in reversed(group.residual_group.blocks):
                    yield "shift", layer.shift_size  # type: ignore[misc]
        yield "border", _border(self.conv_first)


def _border(module: nn.Module) -> int:
    layers = (m for m in module.modules() if isinstance(m, nn.Conv2d))
    return sum(layer.kernel_size[0] // 2 for layer in layers)
