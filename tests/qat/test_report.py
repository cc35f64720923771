"""The report on a quantizer against NumPy, and its gradients against their formula."""

import math

import numpy as np
import pytest
import torch

from quantlib.errors import QuantlibError
from quantlib.qat.report import best_step, gradient_multipliers, report, set_by_hand
from quantlib.qat.rlq import RLQ


def values(seed: int = 0, size: int = 4000) -> np.ndarray:
    return np.random.default_rng(seed).laplace(0.1, 0.7, size).astype(np.float32)


@pytest.mark.parametrize("bits", [2, 3, 8])
@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("shift", [None, -0.3, 0.25])
def test_the_report_is_what_numpy_counts(bits, signed, shift):
    x, step = values(), 0.31
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    moved = x.astype(np.float64) + np.float32(shift or 0)
    codes = np.clip(np.rint(moved / np.float32(step)), low, high)
    found = report(set_by_hand(bits, signed, step, shift), torch.from_numpy(x).reshape(1, 1, -1, 1))
    mse = np.mean((codes * np.float32(step) - moved) ** 2)
    assert found.mse == pytest.approx(mse, rel=1e-4)
    assert found.sqnr == pytest.approx(10 * np.log10(np.mean(x.astype(float) ** 2) / mse), abs=1e-3)
    _, counts = np.unique(codes, return_counts=True)
    shares = counts / len(x)
    assert found.levels_used == len(counts)
    assert found.entropy == pytest.approx(-(shares * np.log2(shares)).sum(), abs=1e-3)
    assert len(found.shares) == 2**bits and sum(found.shares) == pytest.approx(1)
    outside = (moved < low * step) | (moved > high * step)
    assert found.clipped == pytest.approx(outside.mean(), abs=1e-3)


def test_values_on_the_levels_have_no_error():
    found = report(set_by_hand(3, True, 0.5), torch.arange(-4, 4) * 0.5)
    assert (found.mse, found.sqnr, found.entropy, found.clipped) == (0, math.inf, 3, 0)


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
@pytest.mark.parametrize("signed", [True, False])
def test_no_step_is_better_than_the_best(bits, signed):
    x = np.abs(values(1)) if not signed else values(1)
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)

    def error(step: float) -> float:
        return float(np.mean((np.clip(np.rint(x / step), low, high) * step - x) ** 2))

    least = min(error(step) for step in np.geomspace(1e-3, np.abs(x).max(), 2000))
    assert error(best_step(torch.from_numpy(x), bits, signed)) <= least * 1.01


def test_the_best_step_of_nothing_but_zeros_is_above_zero():
    assert best_step(torch.zeros(5), 2, True) > 0


@pytest.mark.parametrize("k", [0.0, 1.0, 4.0])
def test_multipliers_are_the_slope_of_phi_inside_and_zero_outside(k):
    step, shift = 0.25, 0.1
    x = torch.from_numpy(values(2)).reshape(1, 1, -1, 1)
    quantizer = set_by_hand(3, True, step, shift, k)
    found = gradient_multipliers(quantizer, x).flatten().numpy()
    u = (x.double().flatten().numpy() + np.float32(shift)) / np.float32(step)
    f = u - np.floor(u)
    slope = k / np.cosh(k * (f - 0.5)) ** 2 / (2 * np.tanh(k / 2)) if k else np.ones_like(f)
    assert found == pytest.approx(np.where((u >= -4) & (u <= 3), slope, 0), abs=1e-6)
    straight = gradient_multipliers(quantizer, x, k=0.0)
    assert set(straight.unique().tolist()) == {0.0, 1.0}


def test_inference_tensors_have_multipliers_too():
    with torch.inference_mode():
        x = torch.ones(4)
    assert gradient_multipliers(RLQ(2), x).shape == (4,)


def test_a_step_of_zero_and_no_values_are_refused():
    with pytest.raises(QuantlibError, match="above zero"):
        set_by_hand(2, True, 0.0)
    with pytest.raises(QuantlibError, match="no values"):
        report(set_by_hand(2, True, 1.0), torch.zeros(0))
