"""Convolutions and matrix products of integers: PyTorch's oneDNN kernels, and a plain form.

Both take codes held as `uint8` and weights as `int8`, add the products up exactly, and give either
`float32` values or the codes that the next layer asks for. The plain form is for machines whose
PyTorch has no such kernels; requantising rounds in `float32`, where ties may differ by one code.
"""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from quantlib.runtime.grids import BYTE, CodeGrid, along
from quantlib.runtime.passes import Limits, limit

EXACT = 1 << 24  # whole numbers that float32 holds


@dataclass(frozen=True, eq=False)
class IntegerWeight:
    """`codes` `int8 (O, C/groups, kh, kw)` or `(O, C)` with one step per output `(O,)`."""

    codes: Tensor
    steps: Tensor

    @classmethod
    def rounded(cls, weight: Tensor, bits: int = 8) -> Self:
        """Symmetric codes of float weights, the largest of every output at the end of the range."""
        largest = (1 << (bits - 1)) - 1
        magnitude = weight.flatten(1).abs().amax(1).float()
        steps = torch.where(magnitude > 0, magnitude / largest, 1.0)
        scaled = weight / steps.view(-1, *[1] * (weight.dim() - 1))
        return cls(scaled.round().to(torch.int8), steps)

    def values(self) -> Tensor:
        """What the codes stand for, `float32`."""
        return self.codes.float() * self.steps.view(-1, *[1] * (self.codes.dim() - 1))


@dataclass(frozen=True)
class Geometry:
    """How a convolution moves over its input; a linear layer has none."""

    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    groups: int

    @classmethod
    def of(cls, layer: nn.Conv2d) -> Self:
        padding: tuple[int, int] = layer.padding  # type: ignore[assignment]
        return cls(layer.stride, padding, layer.dilation, layer.groups)  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class Requantisation:
    """What becomes of a layer's sums: codes on `grid` with qmin held as 0.

    With `relu` the sums are rectified before, which sets a smallest code for every channel.
    """

    grid: CodeGrid
    relu: bool

    @property
    def floor(self) -> Tensor | None:
        """Smallest codes as they are held, `uint8 (O,)`; None where all are 0, as `uint8` has it.

        A rectified value is 0, whose code is that of the shift.
        """
        if not self.relu:
            return None
        shift = torch.zeros(1) if self.grid.shift is None else self.grid.shift
        rectified = (shift * (1 / torch.tensor(self.grid.step))).round()
        held = rectified.clamp(self.grid.qmin, self.grid.qmax) + self.grid.offset
        return held.to(torch.uint8) if held.any() else None

    @property
    def ceiling(self) -> int:
        """The largest code as it is held."""
        return self.grid.qmax - self.grid.qmin

    def limits(self, channels: int) -> Limits | None:
        """The codes that may be held; None where `uint8` sees to that."""
        floor = self.floor
        if floor is None and self.ceiling == BYTE.qmax:
            return None
        lowest = torch.zeros(1, dtype=torch.uint8) if floor is None else floor
        return Limits(lowest, self.ceiling, channels)


class IntegerProduct:
    """One layer's weights, made ready once: `__call__` takes codes on `grid`.

    `geometry` None is a linear layer. `kernels` False takes the plain form.
    """

    def __init__(
        self,
        weight: IntegerWeight,
        bias: Tensor | None,
        grid: CodeGrid,
        geometry: Geometry | None,
        output: Requantisation | None = None,
        kernels: bool = True,
    ) -> None:
        self.weight, self.step, self.offset = weight, grid.step, grid.offset
        self.geometry, self.output, self.kernels = geometry, output, kernels
        outputs = weight.codes.shape[0]
        self.bias = torch.zeros(outputs) if bias is None else bias.detach().float()
        self.limits = None if output is None else output.limits(outputs)
        if output is not None and output.grid.shift is not None:
            self.bias = self.bias + output.grid.shift
        if kernels:
            self._zeros = torch.zeros(outputs, dtype=torch.int64)
            self._packed = self._pack()

    def __call__(self, codes: Tensor) -> Tensor:
        y = self._by_kernel(codes) if self.kernels else self._plainly(codes)
        return y if self.limits is None else limit(y, self.limits, self.kernels)

    def _pack(self) -> Tensor:
        if self.geometry is None:
            return torch.ops.onednn.qlinear_prepack(self.weight.codes, None)
        return torch.ops.onednn.qconv_prepack(
            self.weight.codes, self.weight.steps, self.step, self.offset, *_lists(self.geometry)
        )

    def _by_kernel(self, codes: Tensor) -> Tensor:
        after = 1.0, 0, torch.float32, "none", [], ""
        if self.output is not None:
            grid = self.output.grid
            after = grid.step, grid.offset, torch.uint8, "none", [], ""
        weights = self._packed, self.weight.steps, self._zeros, self.bias
        if self.geometry is None:
            product = torch.ops.onednn.qlinear_pointwise
            return product(codes, self.step, self.offset, *weights, *after)
        product = torch.ops.onednn.qconv2d_pointwise
        return product(codes, self.step, self.offset, *weights, *_lists(self.geometry), *after)

    def _plainly(self, codes: Tensor) -> Tensor:
        sums = self._sums(codes)
        scale = self.step * self.weight.steps
        y = sums.float() * along(scale, sums) + along(self.bias, sums)
        if self.output is None:
            return y
        y = y * (1 / torch.tensor(self.output.grid.step)) + self.output.grid.offset
        return y.round().clamp(0, BYTE.qmax).to(torch.uint8)

    def _sums(self, codes: Tensor) -> Tensor:
        """Exact sums of products, in the narrowest type of float that holds them."""
        largest = max(self.offset, BYTE.qmax - self.offset)
        worst = largest * self.weight.codes.flatten(1).int().abs().sum(1).max()
        dtype = torch.float32 if worst <= EXACT else torch.float64
        x, weight = codes.to(dtype) - self.offset, self.weight.codes.to(dtype)
        if self.geometry is None:
            return functional.linear(x, weight)
        g = self.geometry
        return functional.conv2d(x, weight, None, g.stride, g.padding, g.dilation, g.groups)


def _lists(geometry: Geometry) -> tuple[list[int], list[int], list[int], int]:
    g = geometry
    return list(g.stride), list(g.padding), list(g.dilation), g.groups


PAIR = 32_767
"""What `vpmaddubsw` holds: the sum of two products, in processors that have no VNNI."""


def saturates(weight: IntegerWeight) -> bool:
    """Whether two neighbouring products can pass 32,767, which VNNI adds in 32 bits.

    Codes are held as 0 to 255, so that weights of 7 bits and fewer never do.

    >>> saturates(IntegerWeight(torch.full((1, 2), 64, dtype=torch.int8), torch.ones(1)))
    False
    """
    return 2 * BYTE.qmax * int(weight.codes.int().abs().max()) > PAIR


def kernels_present() -> bool:
    """Whether this PyTorch computes with integers on the CPU.

    >>> kernels_present() in (True, False)
    True
    """
    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.onednn, "qconv2d_pointwise")


def exact(weight: IntegerWeight) -> bool:
    """Whether the kernels of this processor add the products of these weights up exactly."""
    return torch.cpu._is_vnni_supported() or not saturates(weight)
