"""Passes between integer layers: compiled and plain against QuantSR's formula in NumPy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import Tensor

from quantlib.qat.rlq import RLQ
from quantlib.runtime.grids import CodeGrid
from quantlib.runtime.passes import Limits, accumulate, limit, quantized

FLOATS = st.floats(-50, 50, width=32)


def by_formula(x: np.ndarray, grid: CodeGrid) -> np.ndarray:
    """clip(round((x + τ) / α), Qn, Qp) of rows `(pixels, C)`, with Qn held as 0."""
    shift = 0 if grid.shift is None else grid.shift.numpy()
    scaled = (x + np.float32(shift)) * (np.float32(1) / np.float32(grid.step))
    return np.clip(np.rint(scaled), grid.qmin, grid.qmax).astype(int) - grid.qmin


def picture(rows: np.ndarray, height: int = 2) -> Tensor:
    """Rows `(pixels, C)` as `(1, C, H, W)` whose channels lie last in memory."""
    return torch.from_numpy(rows.copy()).view(1, height, -1, rows.shape[1]).permute(0, 3, 1, 2)


def codes_for(x: Tensor) -> Tensor:
    return torch.empty_like(x, dtype=torch.uint8).contiguous(memory_format=torch.channels_last)


def rows_of(x: Tensor) -> np.ndarray:
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1]).numpy()


@settings(deadline=None)  # the first call compiles
@given(
    arrays(np.float32, (6, 5), elements=FLOATS),
    arrays(np.float32, (5,), elements=st.floats(-3, 3, width=32)),
    st.sampled_from([(-8, 7), (0, 15), (-2, 1), (-77, 178)]),
    st.floats(0.03125, 4, width=32),
    st.booleans(),
)
def test_codes_are_those_of_the_formula(x, shift, limits, step, kernels):
    grid = CodeGrid(step, *limits, shift=torch.from_numpy(shift))
    assert np.array_equal(rows_of(quantized(picture(x), grid, kernels)), by_formula(x, grid))
    tokens = quantized(torch.from_numpy(x), grid, kernels)
    assert np.array_equal(tokens.numpy(), by_formula(x, grid))


@settings(deadline=None)  # the first call compiles
@given(
    arrays(np.float32, (6, 3), elements=FLOATS),
    arrays(np.float32, (6, 3), elements=FLOATS),
    st.floats(0.5, 1.5, width=32),
    st.floats(0.125, 1, width=32),
    st.booleans(),
    st.booleans(),
)
def test_sums_and_their_codes(kept, added, factor, alpha, relu, kernels):
    grid = CodeGrid(0.25, -8, 7, torch.tensor([0.5, -1.0, 0.1]))
    exact = np.float64(factor) * kept + np.float64(alpha) * added
    total, codes, alone = picture(kept), codes_for(picture(kept)), codes_for(picture(kept))
    numbers = factor, picture(added), alpha, relu, grid
    accumulate(total, alone, *numbers, keep=False, kernels=kernels)
    assert np.array_equal(rows_of(total), kept), "nobody asked for the sum"
    accumulate(total, codes, *numbers, kernels=kernels)
    found = rows_of(total)
    assert found == pytest.approx(np.maximum(exact, 0) if relu else exact, abs=2e-5)
    assert np.array_equal(rows_of(codes), by_formula(found, grid))
    assert torch.equal(alone, codes)


def test_a_sum_goes_where_it_is_wanted_or_nowhere():
    """In memory of another order the sum would be written to a copy, and be lost in silence."""
    grid, rows_apart = CodeGrid(0.1, 0, 255), torch.ones(2, 3, 4, 5)
    with pytest.raises(RuntimeError, match="view"):
        accumulate(rows_apart, codes_for(rows_apart), 1.0, rows_apart, 1.0, False, grid)


def test_other_orders_of_memory_are_read():
    x, grid = torch.randn(2, 3, 4, 5), CodeGrid(0.1, -8, 7)
    assert torch.equal(quantized(x, grid), quantized(x, grid, kernels=False))


def test_the_grid_of_a_learned_quantizer_has_its_codes():
    quantizer, x = RLQ(4, None, channels=3), torch.randn(1, 3, 8, 8)
    quantizer(x)
    quantizer.shift.data.copy_(torch.tensor([0.2, -0.1, 0.0]))  # type: ignore[union-attr]
    expected = quantizer.to_int(x) - quantizer.bitwidth.qmin
    assert torch.equal(quantized(x, CodeGrid.of(quantizer)).int(), expected)


@given(st.floats(-100, 100), st.floats(-100, 100))
def test_zero_is_a_level_of_every_calibrated_grid(low, high):
    grid = CodeGrid.over(min(low, high), max(low, high))
    assert -255 <= grid.qmin <= 0 and grid.qmax - grid.qmin == 255
    reach = grid.step * grid.qmin, grid.step * grid.qmax
    assert reach[0] <= min(low, 0) + grid.step and reach[1] >= max(high, 0) - grid.step


@settings(deadline=None)
@given(
    arrays(np.uint8, (6, 5)),
    st.one_of(arrays(np.uint8, (5,)), arrays(np.uint8, (1,))),
    st.integers(0, 255),
    st.booleans(),
)
def test_codes_are_limited_in_their_place(rows, lowest, highest, kernels):
    codes = picture(rows)
    limit(codes, Limits(torch.from_numpy(lowest), highest, channels=5), kernels)
    assert np.array_equal(rows_of(codes), np.minimum(np.maximum(rows, lowest), highest))
