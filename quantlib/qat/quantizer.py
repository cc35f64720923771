"""What every learned quantizer can do."""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.quantizers.bitwidth import BitWidth
from quantlib.quantizers.packed import PackedTensor, pack_tensor, packed_sizes
from quantlib.quantizers.sizes import ByteSizes

NEGATIVE = -1e-5  # a first batch with a smaller value is signed, as the released QuantSR decides


class Grid(NamedTuple):
    """Where the levels lie: value = step · code + offset, with integer codes of `bitwidth`."""

    bitwidth: BitWidth
    step: Tensor
    offset: Tensor


class LearnedQuantizer(nn.Module, ABC):
    """A fake quantizer whose range is learned by gradient descent.

    `bits` from 2 to 8. `signed` None decides on the first tensor, which also sets the starting
    range; before it nothing is known. Called with a tensor of any shape it returns the quantized
    values in the same shape, differentiable with respect to the tensor and its own parameters.
    """

    method: str

    def __init__(self, bits: int, signed: bool | None = True) -> None:
        super().__init__()
        if not 2 <= bits <= 8:
            raise QuantlibError(f"A learned quantizer has 2 to 8 bits, not {bits}.")
        self.bits, self.signed = bits, signed
        self.initialised = False

    @property
    def bitwidth(self) -> BitWidth:
        return BitWidth(self.bits, bool(self.signed))

    def forward(self, x: Tensor) -> Tensor:
        self.initialise(x)
        return self.quantize(x)

    @torch.no_grad()
    def initialise(self, x: Tensor) -> None:
        """Sets signedness and the starting range from `x`, unless they are set."""
        if self.initialised:
            return
        if not x.isfinite().all():
            raise QuantlibError("A layer's input is not finite; nothing can be learned from it.")
        if self.signed is None:
            self.signed = bool(x.min() < NEGATIVE)
        self.start_from(x)
        self.initialised = True

    @abstractmethod
    def start_from(self, x: Tensor) -> None:
        """Sets the starting range from the first tensor."""

    @abstractmethod
    def quantize(self, x: Tensor) -> Tensor:
        """The quantized values of `x`."""

    @abstractmethod
    def grid(self, x: Tensor) -> Grid:
        """The levels that `x` is quantized to."""

    def penalty(self) -> Tensor | float:
        """What the method adds to the loss."""
        return 0.0

    def share_batch(self, processes: int) -> None:
        """From now on as many processes quantize equal shares of a batch, and average gradients."""

    @torch.no_grad()
    def to_int(self, x: Tensor) -> Tensor:
        """The integer codes of `x`, `int32`."""
        self.initialise(x)
        _, step, offset = self.grid(x)
        return ((self.quantize(x.float()) - offset) / step).round().to(torch.int32)

    @torch.no_grad()
    def encode(self, x: Tensor) -> PackedTensor:
        """The packed codes of one tensor with its step."""
        self.initialise(x)
        bitwidth, step, offset = self.grid(x)
        shifted = -offset.reshape(-1).cpu() if offset.any() else None
        return pack_tensor("uniform", self.to_int(x), bitwidth, step.cpu(), None, shifted)

    @torch.no_grad()
    def sizes(self, x: Tensor) -> ByteSizes:
        """The sizes that `encode(x)` has, known without packing."""
        self.initialise(x)
        grid = self.grid(x)
        return packed_sizes(tuple(x.shape), grid.bitwidth, 1, int(bool(grid.offset.any())))

    def get_extra_state(self) -> Tensor:
        """Signedness and whether the range is set, as they stand in a state dict."""
        signed = -1 if self.signed is None else int(self.signed)
        return torch.tensor([signed, int(self.initialised)], dtype=torch.int8)

    def set_extra_state(self, state: Any) -> None:
        signed, initialised = (int(n) for n in state)
        self.signed = None if signed < 0 else bool(signed)
        self.initialised = bool(initialised)
