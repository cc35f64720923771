"""Clip to a range, round to its levels, pass the gradient straight through."""

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor

from quantlib.qat.fused import fused
from quantlib.qat.precision import result_dtype
from quantlib.qat.quantizer import Grid, LearnedQuantizer

SMALLEST_RANGE = 1e-8
TOLD_APART = 2.0**-20  # of a bound: steps that float32 still resolves there


def clip_and_round(
    x: Tensor,
    lower: Tensor,
    upper: Tensor,
    grid: Grid,
    codes: tuple[int, int],
    learns_from_error: bool = False,
) -> Tensor:
    """step · round((clip(x, lower, upper) - offset) / step) + offset, in the shape of `x`.

    `lower` and `upper` hold one value, or one for each image (the first axis of `x`), as `grid`'s
    step and offset do; `codes` are the smallest and the largest code. Values in the range pass
    their gradient on; those at or beyond a bound give it to the bound. With `learns_from_error`
    every value also gives the bounds what its rounding error says of the step. Under autocast the
    result has autocast's dtype.

    >>> from quantlib.quantizers.bitwidth import BitWidth
    >>> grid = Grid(BitWidth(2), torch.tensor(0.5), torch.tensor(0.0))
    >>> x, bound = torch.tensor([-2.0, 0.1, 0.3]), torch.tensor(0.5)
    >>> clip_and_round(x, -bound, bound, grid, (-1, 1))
    tensor([-0.5000,  0.0000,  0.5000])
    """
    return _ClipAndRound.apply(  # type: ignore[return-value]
        x, lower, upper, grid.step, grid.offset, codes, learns_from_error
    )


class ClippedQuantizer(LearnedQuantizer):
    """A quantizer whose levels lie evenly between two bounds, at whole multiples of their step."""

    learns_from_error = False

    @abstractmethod
    def bounds(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The lower and the upper bound for `x`: one value each, or one for each image."""

    @property
    def codes(self) -> tuple[int, int]:
        """The smallest and the largest code: as many below zero as above it, or none below."""
        highest = self.bitwidth.qmax
        return -highest if self.bitwidth.signed else 0, highest

    def start_from(self, x: Tensor) -> None:
        """The bounds follow from the values of every pass; nothing has to be set."""

    def levels(self, lower: Tensor, upper: Tensor) -> Grid:
        """The levels between two bounds, shifted by less than a step onto its multiples."""
        low, high = self.codes
        lower, upper = lower.detach(), upper.detach()
        resolved = torch.maximum(lower.abs(), upper.abs()) * TOLD_APART
        step = (upper - lower).clamp_min(SMALLEST_RANGE) / (high - low)
        step = torch.maximum(step, resolved)
        return Grid(self.bitwidth, step, ((lower / step).round() - low) * step)

    def quantize(self, x: Tensor) -> Tensor:
        lower, upper = self.bounds(x)
        grid = self.levels(lower, upper)
        return clip_and_round(x, lower, upper, grid, self.codes, self.learns_from_error)

    def grid(self, x: Tensor) -> Grid:
        return self.levels(*self.bounds(x))


class _ClipAndRound(torch.autograd.Function):
    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any,
        x: Tensor,
        lower: Tensor,
        upper: Tensor,
        step: Tensor,
        offset: Tensor,
        codes: tuple[int, int],
        learns_from_error: bool,
    ) -> Tensor:
        ctx.save_for_backward(x, lower, upper, step, offset)
        ctx.codes, ctx.learns_from_error = codes, learns_from_error
        levels = _fused_levels if any(ctx.needs_input_grad) else _levels
        rows, (low, high) = _Rows(x, lower), codes
        made = levels(
            rows.of(x),
            _column(lower),
            _column(upper),
            _column(step),
            _column(offset),
            low,
            high,
            result_dtype(x),
        )
        return rows.back(made)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        x, lower, upper, step, offset = ctx.saved_tensors
        rows, (low, high) = _Rows(x, lower), ctx.codes
        d_x, d_lower, d_upper = _gradients(
            rows.of(x),
            rows.of(grad),
            _column(lower),
            _column(upper),
            _column(step),
            _column(offset),
            low,
            high,
            float(ctx.learns_from_error),
        )
        d_x, d_lower, d_upper = rows.back(d_x), d_lower.view_as(lower), d_upper.view_as(upper)
        return d_x, d_lower, d_upper, None, None, None, None


class _Rows:
    """A tensor as its memory lies, one row per bound, so that one kernel serves all layouts."""

    def __init__(self, x: Tensor, bound: Tensor) -> None:
        self.shape, self.count = x.shape, bound.numel()
        self.channels_last = x.dim() == 4 and x.is_contiguous(memory_format=torch.channels_last)

    def of(self, x: Tensor) -> Tensor:
        """`(R, M)`."""
        x = x.permute(0, 2, 3, 1) if self.channels_last else x
        return x.reshape(self.count, x.numel() // self.count)

    def back(self, x: Tensor) -> Tensor:
        if not self.channels_last:
            return x.view(self.shape)
        n, c, h, w = self.shape
        return x.view(n, h, w, c).permute(0, 3, 1, 2)


def _column(values: Tensor) -> Tensor:
    return values.reshape(-1, 1)


def _levels(
    x: Tensor,
    lower: Tensor,
    upper: Tensor,
    step: Tensor,
    offset: Tensor,
    low: int,
    high: int,
    dtype: torch.dtype,
) -> Tensor:
    u = (x.to(step.dtype).clamp(lower, upper) - offset) / step
    return (u.round().clamp(low, high) * step + offset).to(dtype)


_fused_levels = fused(_levels)


@fused
def _gradients(
    x: Tensor,
    grad: Tensor,
    lower: Tensor,
    upper: Tensor,
    step: Tensor,
    offset: Tensor,
    low: int,
    high: int,
    share: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients for x, lower and upper; `share` of the rounding error goes to the bounds."""
    values, grad = x.to(step.dtype), grad.to(step.dtype)
    clipped = values.clamp(lower, upper)
    u = (clipped - offset) / step
    error = (u.round().clamp(low, high) - u) * (share / (high - low))
    inside = (values >= lower) & (values <= upper)
    d_lower = (grad * (torch.where(values <= lower, 1.0, 0.0) - error)).sum(1)
    d_upper = (grad * (torch.where(values >= upper, 1.0, 0.0) + error)).sum(1)
    return torch.where(inside, grad, 0).to(x.dtype), d_lower, d_upper
