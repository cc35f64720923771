import math

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from quantlib.qat.soft_rounding import phi, phi_slope

SOFTNESS = [0.0, 0.3, 1.0, 2.0, 6.0]


def doubles(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


@given(st.floats(-1000, 1000), st.floats(0, 10))
def test_rounding_does_not_see_phi(x, k):
    assume(abs(x - math.floor(x) - 0.5) > 1e-6 and (k == 0 or k > 1e-6))
    value = doubles(x)
    assert phi(value, k).round() == value.round()


@pytest.mark.parametrize("k", SOFTNESS)
def test_slope_is_the_derivative(k):
    x = torch.linspace(-3.3, 3.4, 500, dtype=torch.float64, requires_grad=True)
    (derivative,) = torch.autograd.grad(phi(x, k).sum(), x)
    torch.testing.assert_close(phi_slope(x, k), derivative, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("k", SOFTNESS)
def test_mean_slope_of_an_interval_is_one(k):
    middles = (torch.arange(20000, dtype=torch.float64) + 0.5) / 20000
    for start in (-2, 0, 5):
        assert phi_slope(start + middles, k).mean().item() == pytest.approx(1, abs=1e-7)


@pytest.mark.parametrize("k", [0.3, 1.0, 2.0, 6.0])
def test_intervals_join_without_a_jump(k):
    ends = phi(doubles(2.0, math.nextafter(3.0, 2.0)), k)
    torch.testing.assert_close(ends, doubles(2.0, 3.0))


def test_slopes_as_published():
    """At the threshold (f = ½) and at a level, from the notes on the released code."""
    for k, threshold, level in [(1, 1.082, 0.851), (2, 1.313, 0.551), (4, 2.07, 0.147)]:
        slopes = phi_slope(doubles(0.5, 3.0), k)
        assert slopes.tolist() == pytest.approx([threshold, level], abs=0.006)


def test_a_small_k_is_the_straight_through_estimator():
    x = torch.linspace(-2, 2, 101, dtype=torch.float64)
    torch.testing.assert_close(phi(x, 1e-4), x, rtol=0, atol=1e-9)
    torch.testing.assert_close(phi_slope(x, 1e-4), torch.ones_like(x), rtol=0, atol=1e-8)
    assert phi(x, 0) is x
    assert (phi_slope(x, 0) == 1).all()


def test_a_large_k_stays_finite():
    slopes = phi_slope(torch.tensor([0.0, 0.25, 0.5]), 500.0)
    assert slopes.tolist() == [0, 0, 250]
