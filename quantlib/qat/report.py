"""What a quantizer does to given values: its error, the use of its levels, its gradients."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from quantlib.errors import QuantlibError
from quantlib.qat.rlq import RLQ, SMALLEST_STEP, rlq
from quantlib.quantizers.bitwidth import BitWidth

CANDIDATES, ROUNDS = 48, 3


@dataclass(frozen=True)
class CodeReport:
    """How well values are represented by the codes of a quantizer.

    `mse` is the mean squared error in squared units of the values, `sqnr` the signal power over it
    in dB; `shares` gives each code's share of the values, from Qn to Qp, and `clipped` the share of
    the values beyond the outermost levels.
    """

    mse: float
    sqnr: float
    shares: tuple[float, ...]
    clipped: float

    @property
    def levels_used(self) -> int:
        return sum(share > 0 for share in self.shares)

    @property
    def entropy(self) -> float:
        """Bits per code: the homogeneity of the representation, at most the bit-width."""
        return abs(sum(share * math.log2(share) for share in self.shares if share > 0))


def set_by_hand(
    bits: int, signed: bool, step: float, shift: float | None = None, k: float = 1.0
) -> RLQ:
    """An RLQ with a chosen step; with `shift` it takes tensors of one channel, `(N, 1, H, W)`.

    >>> set_by_hand(2, True, 0.5)(torch.tensor([0.3, 0.8])).tolist()
    [0.5, 0.5]
    """
    if step <= 0:
        raise QuantlibError(f"A step has to be above zero, not {step}.")
    quantizer = RLQ(bits, signed, channels=0 if shift is None else 1, k=k)
    with torch.no_grad():
        quantizer.raw_step.fill_(step)
        if quantizer.shift is not None and shift is not None:
            quantizer.shift.fill_(shift)
    quantizer.initialised = True
    return quantizer


@torch.no_grad()
def report(quantizer: RLQ, x: Tensor) -> CodeReport:
    """The report on values of any shape; where the quantizer shifts, the error is that of x + τ.

    τ is never taken off again (it is left to the layer's bias), so it is no error by itself.

    >>> found = report(set_by_hand(2, True, 1.0), torch.tensor([-1.0, 0.0, 1.0, 2.0]))
    >>> found.mse, found.levels_used, found.entropy, found.clipped
    (0.25, 3, 1.5, 0.25)
    """
    if not x.numel():
        raise QuantlibError("There are no values to report on.")
    bitwidth, step = quantizer.bitwidth, quantizer.step.double()
    shifted = x.double() if quantizer.shift is None else x.double() + quantizer.shift.double()
    codes = quantizer.to_int(x)
    mse = (codes * step - shifted).square().mean().item()
    signal = x.double().square().mean().item()
    counts = torch.bincount((codes - bitwidth.qmin).flatten().long(), minlength=2**quantizer.bits)
    position = shifted / step
    clipped = (position < bitwidth.qmin) | (position > bitwidth.qmax)
    return CodeReport(
        mse,
        10 * math.log10(signal / mse) if mse > 0 and signal > 0 else math.inf,
        tuple((counts.double() / x.numel()).tolist()),
        clipped.double().mean().item(),
    )


@torch.no_grad()
def best_step(x: Tensor, bits: int, signed: bool) -> float:
    """The step with the least squared error on `x`, by a search that is refined three times.

    >>> round(best_step(torch.tensor([-2.0, -1.0, 0.0, 1.0]), 2, signed=True), 3)
    1.0
    """
    bitwidth = BitWidth(bits, signed)
    x = x.flatten().float()
    largest = x.abs().max().item() / bitwidth.qmax
    if not largest:
        return SMALLEST_STEP
    low, high = largest / CANDIDATES, largest
    for _ in range(ROUNDS):
        steps = torch.linspace(low, high, CANDIDATES)
        codes = ((x / step).round_().clamp_(bitwidth.qmin, bitwidth.qmax) for step in steps)
        errors = [
            code.mul_(step).sub_(x).square_().mean().item()
            for code, step in zip(codes, steps, strict=True)
        ]
        best = min(range(CANDIDATES), key=errors.__getitem__)
        low, high = (steps[min(max(best + side, 0), CANDIDATES - 1)].item() for side in (-1, 1))
    return steps[best].item()


def gradient_multipliers(quantizer: RLQ, x: Tensor, k: float | None = None) -> Tensor:
    """∂Q(x)/∂x of every value, `float64` in the shape of `x`, as backpropagation computes it.

    `k` replaces the quantizer's own; 0 is the straight-through estimator.

    >>> quantizer = set_by_hand(2, True, 1.0)
    >>> gradient_multipliers(quantizer, torch.tensor([0.0, 0.5, 1.5]))
    tensor([0.8509, 1.0820, 0.0000], dtype=torch.float64)
    """
    values = x.detach().double().requires_grad_()
    shift = None if quantizer.shift is None else quantizer.shift.detach().double()
    step, signed = quantizer.step.detach().double(), quantizer.bitwidth.signed
    slope = quantizer.k if k is None else k
    with torch.enable_grad():
        rlq(values, step, quantizer.bits, signed, shift, slope).sum().backward()
    assert values.grad is not None
    return values.grad
