"""The integers that stand for the values of one activation."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from quantlib.qat.rlq import RLQ
from quantlib.quantizers.bitwidth import BitWidth

BYTE = BitWidth(8, signed=False)
LOOP = 1024  # values that make a loop long


@dataclass(frozen=True, eq=False)
class CodeGrid:
    """code = clip(round((x + shift) / step), qmin, qmax), and x ≈ step · code.

    `shift` is RLQ's τ `(C,)`, or None. Codes are held as `uint8`, with qmin as 0.

    >>> CodeGrid.over(-1.0, 3.0).qmin, CodeGrid.over(-1.0, 3.0).qmax
    (-64, 191)
    """

    step: float
    qmin: int
    qmax: int
    shift: Tensor | None = None

    @classmethod
    def of(cls, quantizer: RLQ) -> Self:
        """The grid of a learned quantizer."""
        shift = None if quantizer.shift is None else quantizer.shift.detach().float()
        bitwidth = quantizer.bitwidth
        return cls(float(quantizer.step.detach()), bitwidth.qmin, bitwidth.qmax, shift)

    @classmethod
    def over(cls, lowest: float, highest: float) -> Self:
        """256 levels from `lowest` to `highest`, moved so that zero is one of them."""
        lowest, highest = min(lowest, 0.0), max(highest, 0.0)
        step = (highest - lowest) / BYTE.qmax or 1.0
        qmin = round(lowest / step)
        return cls(step, qmin, qmin + BYTE.qmax)

    @property
    def offset(self) -> int:
        """What is added to a code to hold it."""
        return -self.qmin

    @cached_property
    def constants(self) -> tuple[Any, ...]:
        """What compiled passes take: shift, 1 / step, the limits, and the offset."""
        shift = for_many_pixels(torch.zeros(1) if self.shift is None else self.shift)
        limits = np.float32(self.qmin), np.float32(self.qmax), np.int32(self.offset)
        return shift, 1 / np.float32(self.step), *limits

    def codes(self, x: Tensor) -> Tensor:
        """The codes of `x` `(N, C, H, W)` or `(…, C)`, still as floats."""
        if self.shift is not None:
            x = x + along(self.shift, x)
        return (x * (1 / torch.tensor(self.step))).round().clamp(self.qmin, self.qmax)


def along(values: Tensor, x: Tensor) -> Tensor:
    """`values` `(C,)` along the channels of `x`: axis 1 of four, otherwise the last.

    >>> along(torch.ones(3), torch.ones(1, 3, 5, 5)).shape
    torch.Size([3, 1, 1])
    """
    return values.view(-1, 1, 1) if x.dim() == 4 else values


def for_many_pixels(values: Tensor) -> np.ndarray:
    """`values` `(C,)` again and again, for as many pixels as make a long loop.

    >>> for_many_pixels(torch.ones(3)).size
    1026
    """
    return values.repeat(-(-LOOP // len(values))).numpy()
