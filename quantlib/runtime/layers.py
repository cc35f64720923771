"""What stands in an integer network where a quantized one has its layers."""

from typing import Any

import torch
from torch import Tensor, nn

from quantlib.runtime import passes
from quantlib.runtime.grids import CodeGrid
from quantlib.runtime.products import (
    Geometry,
    IntegerProduct,
    IntegerWeight,
    Requantisation,
    exact,
    kernels_present,
)


class Prepared(nn.Module):
    """A module that is made ready once the network around it stands."""

    kernels = True

    def prepare(self, kernels: bool) -> None:
        """Decides between the kernels and the plain form."""
        self.kernels = kernels


class Quantize(Prepared):
    """Values `(N, C, H, W)` or `(…, C)` to `uint8` codes with qmin held as 0."""

    def __init__(self, grid: CodeGrid) -> None:
        super().__init__()
        self.grid = grid

    def forward(self, x: Tensor) -> Tensor:
        return passes.quantized(x, self.grid, self.kernels)


class Accumulate(Prepared):
    """factor · kept + alpha · added, in the place of `kept` if `in_place`, and the codes of it.

    `keep` False gives the codes alone, a `grid` of None the sum alone.
    """

    def __init__(self, factor: float, alpha: float, relu: bool, grid: CodeGrid | None) -> None:
        super().__init__()
        self.factor, self.alpha, self.relu, self.grid = factor, alpha, relu, grid
        self.in_place, self.keep = False, True

    def forward(self, kept: Tensor, added: Tensor) -> Any:
        kept, total, codes = self.places(kept, added.shape)
        self.put(total, kept, added, codes)
        return self.results(total, codes)

    def places(self, kept: Tensor, shape: torch.Size) -> tuple[Tensor, Tensor, Tensor | None]:
        """What is kept in full size, where the sum goes if it is needed, and where the codes go."""
        kept = kept.expand(shape)
        layout = passes.layout(kept)
        codes = None
        if self.grid is not None:
            codes = torch.empty_like(kept, dtype=torch.uint8, memory_format=layout)
        if not self.keep or (self.in_place and kept.is_contiguous(memory_format=layout)):
            total = kept
        else:
            total = torch.empty_like(kept, memory_format=layout)
        return kept, total, codes

    def put(self, total: Tensor, kept: Tensor, added: Tensor, codes: Tensor | None) -> None:
        """The sum and its codes, of all or of the same part of each, into their places."""
        if total.data_ptr() != kept.data_ptr():
            total.copy_(kept)
        if self.grid is None:
            scaled = total if self.factor == 1 else total.mul_(self.factor)
            scaled.add_(added, alpha=self.alpha)
            return
        assert codes is not None
        numbers = self.alpha, self.relu, self.grid, self.keep, self.kernels
        passes.accumulate(total, codes, self.factor, added, *numbers)

    def results(self, total: Tensor, codes: Tensor | None) -> Any:
        """What of both is asked for."""
        if codes is None:
            return total
        return (total, codes) if self.keep else codes


class IntegerLayer(Prepared):
    """A convolution or a linear layer of codes; gives values, or codes where `output` says so."""

    def __init__(
        self,
        weight: IntegerWeight,
        bias: Tensor | None,
        grid: CodeGrid,
        geometry: Geometry | None,
    ) -> None:
        super().__init__()
        self.weight, self.bias, self.grid, self.geometry = weight, bias, grid, geometry
        self.output: Requantisation | None = None
        self._product: IntegerProduct | None = None

    def prepare(self, kernels: bool) -> None:
        self._product = IntegerProduct(
            self.weight,
            self.bias,
            self.grid,
            self.geometry,
            self.output,
            kernels and kernels_present() and exact(self.weight),
        )

    @property
    def keeps_size(self) -> bool:
        """Whether this is a convolution whose output is as high and wide as its input."""
        if self.geometry is None:
            return False
        moves, kernel = self.geometry, self.weight.codes.shape[2:]
        same = all(2 * pad == side - 1 for pad, side in zip(moves.padding, kernel, strict=True))
        return same and moves.stride == moves.dilation == (1, 1)

    def forward(self, codes: Tensor) -> Tensor:
        assert self._product is not None, "prepare the network first"
        return self._product(codes)
