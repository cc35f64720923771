"""Where layers start, against searches and solvers written otherwise."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from quantlib.qat.adapting.start import (
    DAMPING,
    nearest_step,
    refit,
    sampled_output,
    start_input,
    start_scales,
    start_weight,
)
from quantlib.qat.layers.quantized import scaled
from quantlib.qat.scheme import Scheme, quantize_layers, quantized_layers
from quantlib.quantizers.bitwidth import BitWidth


def quantized(layer: nn.Module, scheme: Scheme):
    network = nn.Sequential(layer).requires_grad_(False)
    quantize_layers(network, {"0": scheme})
    return quantized_layers(network)["0"]


def mean_square(x: np.ndarray, step: float, low: int, high: int) -> float:
    return float(np.mean((np.clip(np.round(x / step), low, high) * step - x) ** 2))


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
@pytest.mark.parametrize("signed", [True, False])
def test_nearest_step_against_a_fine_search(bits: int, signed: bool) -> None:
    x = torch.randn(5000, generator=torch.Generator().manual_seed(bits))
    x = x if signed else x.abs()
    bitwidth = BitWidth(bits, signed)
    step, gap = nearest_step(x, bitwidth)
    values = x.double().numpy()
    limits = bitwidth.qmin, bitwidth.qmax
    top = float(x.abs().max()) / bitwidth.qmax
    best = min(mean_square(values, top * f, *limits) for f in np.linspace(0.01, 1.0, 400))
    assert mean_square(values, float(step), *limits) <= 1.05 * best
    assert float(gap) == pytest.approx(mean_square(values, float(step), *limits), rel=1e-4)


def test_nearest_step_of_zeros() -> None:
    step, gap = nearest_step(torch.zeros(9), BitWidth(4))
    assert float(step) == float(gap) == 0.0


LAYERS = {
    "convolution": (lambda: nn.Conv2d(4, 6, 3, padding=1), (2, 4, 7, 9)),
    "strided": (lambda: nn.Conv2d(4, 6, (3, 1), 2, (1, 0), bias=False), (3, 4, 8, 9)),
    "dilated groups": (lambda: nn.Conv2d(4, 6, 3, 1, 2, 2, groups=2), (2, 4, 9, 9)),
    "depthwise": (lambda: nn.Conv2d(4, 4, 3, padding=1, groups=4), (2, 4, 7, 9)),
    "linear": (lambda: nn.Linear(5, 3), (2, 30, 5)),
    "vector": (lambda: nn.Linear(5, 3, bias=False), (40, 5)),
}


@pytest.mark.parametrize("kind", LAYERS)
def test_refit_is_the_ridge_regression(kind: str) -> None:
    """Against NumPy's least squares on rows that the layer itself produces."""
    make, shape = LAYERS[kind]
    torch.manual_seed(3)
    layer, x = quantized(make(), Scheme("rlq", 8, 3)), torch.randn(shape)
    layer.requires_grad_(False)
    start_input(layer, x)
    before, seen = layer.weight.clone(), layer.quantized_input(x)
    wanted = sampled_output(layer, _run(layer, x + 0.3, before))
    refit(layer, x, wanted)
    made = layer.weight.reshape(layer.weight.shape[0], -1).double().numpy()
    old = before.reshape(made.shape).double().numpy()
    bias = 0 if layer.bias is None else layer.bias.double().numpy()
    groups = getattr(layer, "groups", 1)
    for output in range(len(made)):
        group = output // (len(made) // groups)
        rows = _rows_by_impulse(layer, seen, group, made.shape[1]).double().numpy()
        missing = (wanted.double().numpy() - bias)[:, output] - rows @ old[output]
        weight = DAMPING * np.mean(np.sum(rows**2, 0))
        lower = np.sqrt(weight) * np.eye(made.shape[1])
        change = np.linalg.lstsq(
            np.vstack([rows, lower]), np.append(missing, np.zeros(len(lower))), rcond=None
        )[0]
        np.testing.assert_allclose(made[output] - old[output], change, atol=2e-4)


def _run(layer, x: Tensor, weight: Tensor) -> Tensor:
    if isinstance(layer, nn.Linear):
        return nn.functional.linear(x, weight, layer.bias)
    return layer._conv_forward(x, weight, layer.bias)


def _rows_by_impulse(layer, x: Tensor, group: int, width: int) -> Tensor:
    """Column k of the rows is what the layer gives with a weight of one at k and nothing else."""
    columns = []
    for k in range(width):
        weight = torch.zeros_like(layer.weight)
        first = group * (weight.shape[0] // getattr(layer, "groups", 1))
        weight[first].view(-1)[k] = 1.0
        y = _run(layer, x, weight)
        if layer.bias is not None:
            y = y - _run(layer, x, torch.zeros_like(weight))
        columns.append(sampled_output(layer, y)[:, first])
    return torch.stack(columns, 1)


@pytest.mark.parametrize("kind", ["convolution", "dilated groups", "depthwise", "linear"])
def test_a_start_with_shifts_changes_nothing_else(kind: str) -> None:
    """Away from the border the bias makes up for the shifts: only rounding is left."""
    make, shape = LAYERS[kind]
    torch.manual_seed(4)
    layer = make().requires_grad_(False)
    channels = shape[1] if len(shape) == 4 else shape[-1]
    means = torch.linspace(1, 2, channels)
    x = 0.1 * torch.randn(shape) + (means.view(-1, 1, 1) if len(shape) == 4 else means)
    wanted = layer(x)
    twin = quantized(layer, Scheme("rlq", 8, 8))
    start_input(twin, x)
    start_weight(twin)
    assert twin.activation.signed  # type: ignore[union-attr,operator]
    torch.testing.assert_close(twin.activation.shift, -means, atol=0.05, rtol=0)  # type: ignore[union-attr,operator]
    inner = np.s_[..., 2:-2, 2:-2] if len(shape) == 4 else np.s_[...]
    torch.testing.assert_close(twin(x)[inner], wanted[inner], atol=0.02, rtol=0)


def test_no_shift_without_a_bias_or_for_rectified_inputs() -> None:
    torch.manual_seed(5)
    x = torch.randn(2, 4, 8, 8)
    without_bias = quantized(nn.Conv2d(4, 4, 1, bias=False), Scheme("rlq", 4, 4))
    start_input(without_bias, x + 3)
    assert not without_bias.activation.shift.any()  # type: ignore[union-attr,operator]
    rectified = quantized(nn.Conv2d(4, 4, 1), Scheme("rlq", 4, 4))
    start_input(rectified, (x - 1).relu())
    assert not rectified.activation.shift.any() and not rectified.activation.signed  # type: ignore[union-attr,operator]


@pytest.mark.parametrize("kind", LAYERS)
def test_scales_of_the_input_change_nothing_but_the_spread(kind: str) -> None:
    make, shape = LAYERS[kind]
    torch.manual_seed(6)
    layer = quantized(make(), Scheme("rlq", 8, 8, scale_channels=True))
    before, channels = layer.weight.clone(), shape[1] if len(shape) == 4 else shape[-1]
    factors = torch.linspace(0.5, 2, channels)
    x = torch.randn(shape) * (factors.view(-1, 1, 1) if len(shape) == 4 else factors)
    start_scales(layer, x)
    given = scaled(x, layer.input_scale)
    torch.testing.assert_close(_run(layer, given, layer.weight), _run(layer, x, before))
    axes = [
        axis for axis in range(len(shape)) if axis != (1 if len(shape) == 4 else len(shape) - 1)
    ]
    spread = given.std(axes)
    torch.testing.assert_close(spread, spread.mean().expand_as(spread), rtol=1e-3, atol=0)


def test_scales_of_the_output_are_the_nearest_steps_of_its_channels() -> None:
    layer = quantized(nn.Linear(64, 3), Scheme("rlq", 4, 4, scale_channels=True))
    layer.weight.copy_(torch.randn(64) * torch.tensor([[0.1], [1.0], [10.0]]))
    before = layer.weight.clone()
    start_weight(layer)
    assert layer.output_scale is not None
    torch.testing.assert_close(
        layer.output_scale / layer.output_scale[1], torch.tensor([0.1, 1, 10])
    )
    gaps = (layer.quantized_weight() - before).square().mean(1) / before.square().mean(1)
    assert gaps.max() < 0.02
