"""RLQ, the Redistribution-driven Learnable Quantizer (Qin et al., QuantSR, NeurIPS 2023)."""

import math
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.qat.fused import fused
from quantlib.qat.precision import result_dtype
from quantlib.qat.quantizer import Grid, LearnedQuantizer
from quantlib.qat.soft_rounding import phi_slope
from quantlib.quantizers.bitwidth import BitWidth

SMALLEST_STEP = 1e-8
Bound = Any  # a tensor, or an int inside a network that is compiled


def rlq(
    x: Tensor,
    step: Tensor,
    bits: int,
    signed: bool,
    shift: Tensor | None = None,
    k: float = 1.0,
) -> Tensor:
    """α · round(clip((x + τ) / α, Qn, Qp)) with RLQ's gradients, in the shape of `x`.

    `step` is α > 0 (one value), `shift` is τ `(C,)` along axis 1 (along the last axis of tensors
    with fewer than four axes). Rounding passes φ_k' backward; k = 0 is the straight-through
    estimator and so LSQ. The gradient of α is scaled by 1 / √(numel(x) · Qp). Under autocast the
    result has autocast's dtype. Source: QuantSR, equations of section 3.2; LSQ (Esser et al.,
    ICLR 2020) for the step.

    >>> x = torch.tensor([[-0.4, 0.3, 0.9]])
    >>> rlq(x, torch.tensor(0.5), bits=2, signed=True)
    tensor([[-0.5000,  0.5000,  0.5000]])
    """
    bitwidth = BitWidth(bits, signed)
    if bitwidth.qmax < 1:
        raise QuantlibError("A learned step needs codes of at least 2 bits; choose 2 to 8.")
    if k < 0:
        raise QuantlibError(f"The softness k of RLQ's gradient cannot be negative, as {k} is.")
    return _RLQ.apply(x, step, shift, bitwidth, float(k))  # type: ignore[return-value]


class RLQ(LearnedQuantizer):
    """RLQ with its parameters: the step α and, with `channels`, a shift τ per channel (axis 1).

    `k` is the softness of the gradient; `learn_step` False keeps α where it starts. α starts at
    2 mean|v| / √Qp (LSQ) and stays positive whatever the optimiser does; τ starts at 0 and is never
    taken off again, so that it moves the values of a channel within the levels.

    >>> quantizer = RLQ(3, channels=3)
    >>> quantizer(torch.ones(1, 3, 2, 2)).unique(), quantizer.shift.shape
    (tensor([1.1547], grad_fn=<Unique2Backward0>), torch.Size([3]))
    """

    method = "rlq"

    def __init__(
        self,
        bits: int,
        signed: bool | None = True,
        channels: int = 0,
        k: float = 1.0,
        learn_step: bool = True,
    ) -> None:
        super().__init__(bits, signed)
        self.k = k
        self.raw_step = nn.Parameter(torch.tensor(1.0), requires_grad=learn_step)
        self.shift = nn.Parameter(torch.zeros(channels)) if channels else None

    @property
    def step(self) -> Tensor:
        """α > 0."""
        return self.raw_step.abs() + SMALLEST_STEP

    def start_from(self, x: Tensor) -> None:
        start = 2 * x.float().abs().mean() / math.sqrt(self.bitwidth.qmax)
        self.raw_step.copy_(start.clamp_min(SMALLEST_STEP))

    def quantize(self, x: Tensor) -> Tensor:
        return rlq(x, self.step, self.bits, self.bitwidth.signed, self.shift, self.k)

    def share_batch(self, processes: int) -> None:
        """The scale of the step's gradient counts the values of the whole batch."""
        if self.raw_step.requires_grad:
            self.raw_step.register_hook(lambda grad: grad / math.sqrt(processes))

    def redistribute(self, x: Tensor) -> Tensor:
        """x + τ, clipped to the range of the levels: what is left to round."""
        if self.shift is not None:
            x = x + self.shift.view(-1, *[1] * (x.dim() - 2 if x.dim() == 4 else 0))
        return x.clamp(self.step * self.bitwidth.qmin, self.step * self.bitwidth.qmax)

    def grid(self, x: Tensor) -> Grid:
        step = self.step.detach()
        return Grid(self.bitwidth, step, torch.zeros_like(step))


class _RLQ(torch.autograd.Function):
    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, x: Tensor, step: Tensor, shift: Tensor | None, bitwidth: BitWidth, k: float
    ) -> Tensor:
        ctx.save_for_backward(x, step, shift)
        ctx.bitwidth, ctx.k = bitwidth, k
        levels = _fused_levels if ctx.needs_input_grad[0] else _levels
        view = _View(x)
        shifts = view.along_channels(shift, step)
        low, high = _range(bitwidth, step)
        return view.back(levels(view.of(x), step, shifts, low, high, result_dtype(x)))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        x, step, shift = ctx.saved_tensors
        low, high = _range(ctx.bitwidth, step)
        view = _View(x)
        shifts = view.along_channels(shift, step)
        values = view.of(x), view.of(grad), step, shifts, low, high, ctx.k
        if torch.compiler.is_compiling():  # sums over the same axes share a pass
            d_x, parts = _gradients(*values)
            d_step = parts.sum(view.others).sum()
        else:
            d_x, d_step = _summed_gradients(*values)
        d_shift = None
        if shift is not None and ctx.needs_input_grad[2]:
            d_shift = d_x.sum(view.others).to(shift.dtype)
        d_x = view.back(d_x).to(x.dtype)
        d_step = d_step.view_as(step) / math.sqrt(x.numel() * ctx.bitwidth.qmax)
        return d_x, d_step, d_shift, None, None


@cache
def _qmin_qmax(bitwidth: BitWidth, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    """As tensors, so that one compiled kernel serves every bit-width."""
    bounds = (bitwidth.qmin, bitwidth.qmax)
    with torch.inference_mode(False):
        return [torch.tensor(bound, dtype=dtype, device=device) for bound in bounds]


def _range(bitwidth: BitWidth, step: Tensor) -> list[Tensor] | list[int]:
    if torch.compiler.is_compiling():
        return [bitwidth.qmin, bitwidth.qmax]
    return _qmin_qmax(bitwidth, step.dtype, step.device)


class _View:
    """A tensor as its memory lies, so that one compiled kernel serves every layout."""

    def __init__(self, x: Tensor) -> None:
        self.shape = x.shape
        self.channels_last = x.dim() == 4 and x.is_contiguous(memory_format=torch.channels_last)

    @property
    def others(self) -> list[int]:
        """The axes of `of(x)` but that of the channels."""
        return [0, 2] if len(self.shape) == 4 and not self.channels_last else [0]

    def of(self, x: Tensor) -> Tensor:
        """`(M, C)` where channels lie last in memory, else `(N, C, M)`."""
        if x.dim() == 4 and not self.channels_last:
            return x.contiguous().flatten(2)
        if self.channels_last:
            x = x.contiguous(memory_format=torch.channels_last).permute(0, 2, 3, 1)
        return x.reshape(-1, x.shape[-1] if x.dim() else 1)

    def back(self, x: Tensor) -> Tensor:
        if self.channels_last:
            n, c, h, w = self.shape
            return x.view(n, h, w, c).permute(0, 3, 1, 2)
        return x.view(self.shape)

    def along_channels(self, shift: Tensor | None, step: Tensor) -> Tensor:
        """τ in the shape that `of(x)` takes; zero where there is none."""
        if shift is None:
            return step.new_zeros(1)
        spread = len(self.shape) == 4 and not self.channels_last
        return shift.view(-1, 1) if spread else shift.view(-1)


def _levels(
    x: Tensor, step: Tensor, shift: Tensor, low: Bound, high: Bound, dtype: torch.dtype
) -> Tensor:
    u = (x.to(step.dtype) + shift) * (1 / step)
    return (u.round().clamp(low, high) * step).to(dtype)


_fused_levels = fused(_levels)


def _gradients(
    x: Tensor, grad: Tensor, step: Tensor, shift: Tensor, low: Bound, high: Bound, k: float
) -> tuple[Tensor, Tensor]:
    """For every value the gradient for x and its part of that for α, before the scaling."""
    u = (x.to(step.dtype) + shift) * (1 / step)
    clipped = u.clamp(low, high)
    grad = grad.to(step.dtype)
    d_x = grad * torch.where(clipped == u, phi_slope(u, k), 0)
    return d_x, grad * clipped.round() - d_x * u


@fused
def _summed_gradients(
    x: Tensor, grad: Tensor, step: Tensor, shift: Tensor, low: Bound, high: Bound, k: float
) -> tuple[Tensor, Tensor]:
    d_x, parts = _gradients(x, grad, step, shift, low, high, k)
    return d_x.to(x.dtype), parts.sum()
