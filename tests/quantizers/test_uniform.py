import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from quantlib.errors import QuantlibError
from quantlib.quantizers.bitwidth import BitWidth
from quantlib.quantizers.uniform import UniformQuantizer, fit_uniform
from tests.examples import examples

F32 = np.float32


def direct(x: np.ndarray, bits: int, axis: int | None, signed: bool) -> tuple:
    """Codes, values and step by the formula (DQA, equation 1), in float32."""
    others = None if axis is None else tuple(d for d in range(x.ndim) if d != axis % x.ndim)
    largest = np.max(np.abs(x), axis=others, keepdims=True, initial=0)
    step = (largest / F32(2 ** (bits - 1) if signed else 2**bits - 1)).astype(F32)
    step[step == 0] = 1
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    q = np.clip(np.rint(x / step), low, high)
    return q.astype(int), (q * step).astype(F32), step


@st.composite
def tensors(draw):
    shape = draw(array_shapes(min_dims=1, max_dims=5, min_side=1, max_side=5))
    x = draw(arrays(F32, shape, elements=st.floats(-1e6, 1e6, width=32)))
    axis = draw(st.none() | st.integers(-len(shape), len(shape) - 1))
    return x, axis


@examples(150)
@given(tensors(), st.integers(1, 8), st.booleans())
def test_codes_values_and_scale_follow_the_formula(given_tensor, bits, signed):
    x, axis = given_tensor
    quantizer = fit_uniform(torch.from_numpy(x), bits, axis, signed)
    codes, values, step = direct(x, bits, axis, signed)
    np.testing.assert_array_equal(quantizer.scale.numpy().ravel(), step.ravel())
    np.testing.assert_array_equal(quantizer.to_int(torch.from_numpy(x)).numpy(), codes)
    np.testing.assert_array_equal(quantizer(torch.from_numpy(x)).numpy(), values)
    assert quantizer.scale.dim() == (0 if axis is None else 1)


def test_halves_are_rounded_to_even():
    x = torch.tensor([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])
    codes = UniformQuantizer(torch.tensor(1.0), BitWidth(4)).to_int(x)
    assert codes.tolist() == [-2, -2, 0, 0, 2, 2]


def test_values_beyond_the_range_are_clipped():
    quantizer = UniformQuantizer(torch.tensor(0.5), BitWidth(3))
    assert quantizer.to_int(torch.tensor([-9.0, 9.0])).tolist() == [-4, 3]
    unsigned = UniformQuantizer(torch.tensor(0.5), BitWidth(3, signed=False))
    assert unsigned.to_int(torch.tensor([-9.0, 9.0])).tolist() == [0, 7]


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("bits", range(2, 9))
def test_integers_in_range_survive(bits, signed):
    width = BitWidth(bits, signed)
    x = torch.arange(width.qmin, width.qmax + 1).float()
    quantizer = fit_uniform(x, bits, signed=signed)
    assert quantizer.scale.item() == 1
    assert torch.equal(quantizer(x), x)


@examples(60)
@given(tensors(), st.integers(2, 8), st.sampled_from(["max", "percentile", "mse"]))
def test_the_scale_times_the_code_is_the_value(given_tensor, bits, clip):
    x, axis = torch.from_numpy(given_tensor[0]), given_tensor[1]
    quantizer = fit_uniform(x, bits, axis, clip=clip)
    scale = quantizer.scale.numpy()
    if axis is not None:
        scale = scale.reshape([-1 if d == axis % x.dim() else 1 for d in range(x.dim())])
    codes = quantizer.to_int(x).numpy()
    assert codes.min() >= -(2 ** (bits - 1)) and codes.max() < 2 ** (bits - 1)
    np.testing.assert_array_equal(codes.astype(F32) * scale, quantizer(x).numpy())


@pytest.mark.parametrize("length", [1, 7, 400, 999, 1000, 2600, 12345])
def test_the_percentile_is_numpys(length):
    x = np.random.default_rng(length).standard_normal((3, length)).astype(F32)
    wanted = np.percentile(np.abs(x), 99.9, axis=1, method="closest_observation")
    scale = fit_uniform(torch.from_numpy(x), 4, 0, clip="percentile").scale
    np.testing.assert_array_equal(scale.numpy(), (wanted / 8).astype(F32))
    whole = np.percentile(np.abs(x), 99.9, method="closest_observation")
    scale = fit_uniform(torch.from_numpy(x), 4, clip="percentile").scale
    np.testing.assert_array_equal(scale.numpy(), F32(whole / 8))


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("axis", [None, 0, 2, -2])
def test_mse_finds_the_least_error_of_its_fractions(axis, signed):
    random = np.random.default_rng(5)
    x = random.laplace(size=(4, 6, 50)).astype(F32)
    if not signed:
        x = np.abs(x)
    for bits in (2, 3, 5):
        found = fit_uniform(torch.from_numpy(x), bits, axis, signed, "mse")
        plain = fit_uniform(torch.from_numpy(x), bits, axis, signed, "max")
        others = None if axis is None else tuple(d for d in range(3) if d != axis % 3)
        errors = []
        divisor = 2 ** (bits - 1) if signed else 2**bits - 1
        low, high = (-divisor, divisor - 1) if signed else (0, divisor)
        for fraction in np.linspace(0.3, 1, 29):
            step = fraction * np.max(np.abs(x), axis=others, keepdims=True) / divisor
            values = np.clip(np.rint(x / step), low, high) * step
            errors.append(((values - x.astype(float)) ** 2).sum(axis=others))
        got, unclipped = (
            ((q(torch.from_numpy(x)).double().numpy() - x) ** 2).sum(axis=others)
            for q in (found, plain)
        )
        np.testing.assert_allclose(got, np.min(errors, axis=0), rtol=1e-4)
        assert (got <= unclipped).all()
        assert (got < unclipped).any()


@pytest.mark.parametrize("clip", ["max", "percentile", "mse"])
@pytest.mark.parametrize("axis", [None, 0])
@pytest.mark.parametrize("wrong", [torch.nan, torch.inf, -torch.inf])
def test_values_that_are_not_finite(clip, axis, wrong):
    x = torch.tensor([[1.0, 2.0], [3.0, wrong]])
    with pytest.raises(QuantlibError, match="NaN or infinite"):
        fit_uniform(x, 4, axis, clip=clip)


@pytest.mark.parametrize("clip", ["max", "percentile", "mse"])
def test_a_silent_channel_stays_zero(clip):
    x = torch.tensor([[0.0, 0.0], [1.0, -1.0]])
    quantizer = fit_uniform(x, 4, 0, clip=clip)
    values = quantizer(x)
    assert torch.equal(values[0], torch.zeros(2))
    assert torch.isfinite(values).all()
    assert quantizer.encode(x).decode().tolist() == values.tolist()


@pytest.mark.parametrize("clip", ["max", "percentile", "mse"])
@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_tensors_without_elements(clip, shape, axis):
    x = torch.zeros(shape)
    quantizer = fit_uniform(x, 4, axis, clip=clip)
    assert quantizer(x).shape == shape
    assert quantizer.encode(x).decode().shape == shape


@pytest.mark.parametrize("clip", ["median", "", None])
def test_an_unknown_clip(clip):
    with pytest.raises(QuantlibError, match="There is no clip"):
        fit_uniform(torch.ones(2), 4, clip=clip)


@pytest.mark.parametrize("axis", [2, -3])
def test_a_channel_axis_that_does_not_exist(axis):
    with pytest.raises(QuantlibError, match="does not exist"):
        fit_uniform(torch.ones(2, 2), 4, axis)
