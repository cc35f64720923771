"""Weights that are already quantized."""

import torch
from torch import Tensor

from quantlib.qat.quantizer import Grid, LearnedQuantizer
from quantlib.quantizers.packed import PackedTensor


class StoredWeight(LearnedQuantizer):
    """The levels of weights that came as packed integers; the values pass unchanged."""

    method = "stored"

    def __init__(self, packed: PackedTensor) -> None:
        super().__init__(packed.bitwidth.bits, packed.bitwidth.signed)
        self.initialised = True
        offset = -packed.offsets if packed.offsets.size else [0.0]
        self.register_buffer("step", torch.tensor(packed.scales[0]), persistent=False)
        self.register_buffer("offset", torch.tensor(offset[0]), persistent=False)

    def start_from(self, x: Tensor) -> None:
        """Nothing is left to learn."""

    def quantize(self, x: Tensor) -> Tensor:
        return x

    def grid(self, x: Tensor) -> Grid:
        return Grid(self.bitwidth, self.step, self.offset)  # type: ignore[arg-type]
