"""Weights that are already quantized."""

import numpy as np
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
        offset = -packed.offsets if packed.offsets.size else np.zeros(1, np.float32)
        for name, values in (("step", packed.scales), ("offset", offset)):
            per_row = (-1, *[1] * (len(packed.shape) - 1)) if values.size > 1 else ()
            self.register_buffer(name, torch.from_numpy(values).view(per_row), persistent=False)

    def start_from(self, x: Tensor) -> None:
        """Nothing is left to learn."""

    def quantize(self, x: Tensor) -> Tensor:
        return x

    def grid(self, x: Tensor) -> Grid:
        return Grid(self.bitwidth, self.step, self.offset)  # type: ignore[arg-type]
