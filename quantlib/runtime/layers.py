"""What stands in an integer network where a quantized one has its layers."""

from typing import Any

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
    """factor · kept + alpha · added with the codes of it, in the place of `kept` if `in_place`.

    `keep` False gives the codes alone.
    """

    def __init__(self, factor: float, alpha: float, relu: bool, grid: CodeGrid) -> None:
        super().__init__()
        self.factor, self.alpha, self.relu, self.grid = factor, alpha, relu, grid
        self.in_place, self.keep = False, True

    def forward(self, kept: Tensor, added: Tensor) -> Any:
        numbers = self.alpha, self.relu, self.grid, self.kernels
        if not self.keep:
            return passes.codes_of_sum(kept, self.factor, added, *numbers)
        layout = passes.layout(kept)
        if not (self.in_place and kept.is_contiguous(memory_format=layout)):
            kept = kept.clone(memory_format=layout)
        return kept, passes.accumulated(kept, self.factor, added, *numbers)


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

    def forward(self, codes: Tensor) -> Tensor:
        assert self._product is not None, "prepare the network first"
        return self._product(codes)
