import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from quantlib.errors import QuantlibError
from quantlib.quantizers.bitwidth import BitWidth
from quantlib.quantizers.pot import PowerOfTwoQuantizer, fit_power_of_two
from tests.examples import examples


def nearest_levels(x: np.ndarray, scale: float, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """By exhaustive search in the logarithm: the nearest value, and whether it was a close call."""
    largest_code = 2 ** (bits - 1) - 1
    levels = np.array([scale * 2.0 ** (j - largest_code) for j in range(1, largest_code + 1)])
    values, close = np.zeros(len(x)), np.zeros(len(x), bool)
    for i, v in enumerate(x.astype(float)):
        edge = levels[0] / 2
        close[i] = abs(abs(v) - edge) < 1e-5 * edge
        if abs(v) < edge:
            continue
        distances = np.abs(np.log2(levels) - np.log2(abs(v)))
        values[i] = np.sign(v) * levels[distances.argmin()]
        first, second, *_ = [*np.sort(distances), np.inf]
        close[i] |= abs(first - second) < 1e-5
    return values, close


@examples(150)
@given(
    arrays(np.float32, st.integers(1, 40), elements=st.floats(-100, 100, width=32)),
    st.integers(2, 5),
)
def test_the_nearest_level_in_the_logarithm(x, bits):
    values = fit_power_of_two(torch.from_numpy(x), bits)(torch.from_numpy(x)).numpy()
    largest = np.abs(x).max()
    if largest < 1e-30:
        np.testing.assert_allclose(values, x, atol=1e-30)
        return
    wanted, close = nearest_levels(x, float(largest), bits)
    np.testing.assert_allclose(values[~close], wanted[~close], rtol=1e-6)


def test_eight_bits_reach_down_to_the_smallest_normal_number():
    quantizer = PowerOfTwoQuantizer(torch.tensor(1.0), BitWidth(8))
    x = 2.0 ** -torch.arange(0.0, 130)
    values = quantizer(x)
    assert torch.equal(values[:127], x[:127])
    assert values[127] == x[126]  # half of the smallest level is still kept
    assert not values[128:].any()


def test_below_half_of_the_smallest_level_is_zero():
    quantizer = PowerOfTwoQuantizer(torch.tensor(8.0), BitWidth(3))  # levels 2, 4, 8
    assert quantizer(torch.tensor([1.0, -1.0, 0.999, -0.999, 0.0])).tolist() == [2, -2, 0, 0, 0]
    assert quantizer.to_int(torch.tensor([1.0, -4.0, 9.0, 0.5])).tolist() == [1, -2, 3, 0]


def test_values_above_the_largest_level_are_clipped():
    quantizer = PowerOfTwoQuantizer(torch.tensor(1.0), BitWidth(3))
    assert quantizer(torch.tensor([5.0, -1e30])).tolist() == [1, -1]


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_one_scale_per_channel(axis):
    x = torch.randn(3, 4, generator=torch.Generator().manual_seed(1))
    quantizer = fit_power_of_two(x, 3, axis)
    for i in range(x.shape[axis]):
        row = x.select(axis, i)
        wanted, _ = nearest_levels(row.numpy(), float(row.abs().max()), 3)
        np.testing.assert_allclose(quantizer(x).select(axis, i), wanted, rtol=1e-6)


@pytest.mark.parametrize("bits", range(2, 9))
def test_levels_survive_and_codes_fit(bits):
    top = 2 ** (bits - 1) - 1
    levels = torch.tensor([2.0**-j for j in range(min(top, 120))])
    x = torch.cat([levels, -levels, torch.zeros(1)])
    quantizer = fit_power_of_two(x, bits)
    assert torch.equal(quantizer(x), x)
    codes = quantizer.to_int(x)
    assert codes.abs().max() == top
    assert len(codes.unique()) == len(x)


def test_bad_arguments():
    with pytest.raises(QuantlibError, match="at least 2 bits"):
        fit_power_of_two(torch.ones(2), 1)
    with pytest.raises(QuantlibError, match="out of range"):
        fit_power_of_two(torch.ones(2), 17)
    with pytest.raises(QuantlibError, match="NaN or infinite"):
        fit_power_of_two(torch.tensor([1.0, torch.nan]), 4)
    assert fit_power_of_two(torch.zeros(3), 4)(torch.zeros(3)).tolist() == [0, 0, 0]
