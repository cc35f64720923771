"""Integer products against sums in 64-bit integers, and what keeps them exact without VNNI."""

from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from quantlib.runtime.grids import CodeGrid
from quantlib.runtime.products import (
    PAIR,
    Geometry,
    IntegerProduct,
    IntegerWeight,
    Requantisation,
    kernels_present,
    saturates,
)

FORMS = [pytest.param(False, id="plain")]
if kernels_present():
    FORMS.append(pytest.param(True, id="oneDNN"))
SAME = Geometry((1, 1), (1, 1), (1, 1), 1)
GEOMETRIES = [
    (SAME, (32, 32, 3, 3)),
    (SAME, (12, 5, 3, 3)),
    (Geometry((2, 2), (1, 1), (1, 1), 1), (16, 8, 3, 3)),
    (Geometry((1, 1), (0, 0), (1, 1), 1), (24, 16, 1, 1)),
    (Geometry((1, 1), (2, 2), (2, 2), 1), (16, 16, 3, 3)),
    (Geometry((1, 1), (1, 1), (1, 1), 16), (16, 1, 3, 3)),
]


def weights(shape: tuple[int, ...], bits: int, seed: int = 0) -> IntegerWeight:
    generator = torch.Generator().manual_seed(seed)
    half = 1 << (bits - 1)
    codes = torch.randint(-half, half, shape, generator=generator).to(torch.int8)
    return IntegerWeight(codes, torch.rand(shape[0], generator=generator) / 64 + 1 / 256)


def held(grid: CodeGrid, shape: tuple[int, ...], seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randint(0, grid.qmax - grid.qmin + 1, shape, generator=generator)
    codes = codes.to(torch.uint8)
    return codes.contiguous(memory_format=torch.channels_last) if len(shape) == 4 else codes


def exactly(weight: IntegerWeight, grid: CodeGrid, geometry: Geometry, codes: Tensor) -> Tensor:
    """Values in `float64` of sums in `int64`."""
    g = geometry
    centred = codes.long() + grid.qmin
    sums = functional.conv2d(
        centred, weight.codes.long(), None, g.stride, g.padding, g.dilation, g.groups
    )
    return sums.double() * grid.step * weight.steps.double().view(-1, 1, 1)


@pytest.mark.parametrize("kernels", FORMS)
@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("geometry, shape", GEOMETRIES)
def test_values_are_those_of_exact_sums(geometry, shape, bits, kernels):
    half = 1 << (bits - 1)
    grid = CodeGrid(0.03125, -half, half - 1)
    weight, bias = weights(shape, bits), torch.randn(shape[0])
    codes = held(grid, (1, shape[1] * geometry.groups, 9, 11))
    y = IntegerProduct(weight, bias, grid, geometry, kernels=kernels)(codes)
    expected = exactly(weight, grid, geometry, codes) + bias.double().view(-1, 1, 1)
    assert y.dtype == torch.float32
    assert torch.allclose(y.double(), expected, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("kernels", FORMS)
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("limits", [(-8, 7), (0, 15), (0, 3), (-128, 127), (-31, 224)])
def test_codes_are_those_of_the_next_quantizer(limits, relu, kernels):
    """Shift, rectifier, step and both ends; values on a tie may round either way."""
    grid = CodeGrid(0.03125, -8, 7)
    after = CodeGrid(0.11, *limits, shift=torch.linspace(-0.4, 0.6, 24))
    weight, bias = weights((24, 16, 3, 3), 4), torch.randn(24) / 4
    codes = held(grid, (1, 16, 13, 17))
    made = IntegerProduct(weight, bias, grid, SAME, Requantisation(after, relu), kernels)(codes)
    values = exactly(weight, grid, SAME, codes) + bias.double().view(-1, 1, 1)
    values = values.relu() if relu else values
    scaled = (values + after.shift.double().view(-1, 1, 1)) / after.step  # type: ignore[union-attr]
    expected = scaled.round().clamp(*limits) - limits[0]
    tie = ((scaled - scaled.floor()) - 0.5).abs() < 1e-4
    assert made.dtype == torch.uint8
    assert tie.float().mean() < 0.01
    assert torch.equal(made.double()[~tie], expected[~tie])
    assert len(made.unique()) > 2


@pytest.mark.parametrize("kernels", FORMS)
@pytest.mark.parametrize("shape", [(7, 60), (2, 5, 60)])
def test_linear_layers(shape, kernels):
    grid, weight, bias = CodeGrid(0.0625, -8, 7), weights((20, 60), 4), torch.randn(20)
    codes = held(grid, shape)
    y = IntegerProduct(weight, bias, grid, None, kernels=kernels)(codes)
    sums = (codes.long() + grid.qmin) @ weight.codes.long().T
    expected = sums.double() * grid.step * weight.steps.double() + bias.double()
    assert torch.allclose(y.double(), expected, rtol=1e-6, atol=1e-5)


def test_the_plain_form_is_exact_where_float32_is_not():
    """255 · 127 · 8192 is beyond 2^24; a wrong last digit would show in an odd sum."""
    weight = IntegerWeight(torch.full((1, 8192), 127, dtype=torch.int8), torch.ones(1))
    codes = torch.full((1, 8192), 255, dtype=torch.uint8)
    codes[0, 0] = 254
    y = IntegerProduct(weight, None, CodeGrid(1.0, 0, 255), None, kernels=False)
    assert y._sums(codes).item() == 127 * (255 * 8191 + 254)


def test_rounded_weights_reach_the_end_of_their_range():
    weight = IntegerWeight.rounded(torch.tensor([[0.5, -1.0], [0.0, 0.0], [3.0, 0.011]]))
    assert weight.codes.tolist() == [[64, -127], [0, 0], [127, 0]]
    assert weight.values()[0, 1] == -1


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_codes_of_few_bits_cannot_saturate_vpmaddubsw(bits):
    """Theorem: for at most 4 bits |a₀w₀ + a₁w₁| ≤ 2 · 15 · 8 = 240, far below 32,767."""
    activations = range(1 << bits)
    signed = range(-(1 << (bits - 1)), 1 << (bits - 1))
    worst = max(
        abs(a * w + b * v)
        for (a, w), (b, v) in product(product(activations[-2:], signed), repeat=2)
    )
    assert worst == 2 * ((1 << bits) - 1) * (1 << (bits - 1)) <= 240 < PAIR


@given(st.integers(2, 8), st.integers(0, 1000))
def test_saturation_is_told_from_the_weights(bits, seed):
    codes = weights((3, 8), bits, seed).codes
    worst = 255 * int(codes.int().abs().max())
    assert saturates(IntegerWeight(codes, torch.ones(3))) == (2 * worst > PAIR)
    assert not (bits <= 7 and saturates(IntegerWeight(codes, torch.ones(3))))
