"""Quantizers found after training, each against its formula on a small layer."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.models.architectures.swinir import light
from quantlib.qat.adapting.post_training import calibrated, distil_bounds
from quantlib.qat.bounds import Bounds, dobi, extremes, percentiles
from quantlib.qat.layers.placement import swin_schemes
from quantlib.qat.noisy import NoisyInput, RowMaxWeight
from quantlib.qat.scheme import POST_TRAINING, Scheme, quantized_layers, quantized_products

BITS = st.integers(2, 8)
VALUES = arrays.arrays(
    np.float32, st.integers(2, 60), elements=st.floats(-8, 8, width=32, allow_subnormal=False)
)


def affine(x: np.ndarray, lower: float, upper: float, bits: int) -> np.ndarray:
    """2DQuant's quantizer, written with NumPy."""
    step = max(upper - lower, 1e-8) / (2**bits - 1)
    return np.round((np.clip(x, lower, upper) - lower) / step) * step + lower


def searched(x: np.ndarray, bits: int) -> tuple[float, float]:
    """DOBI, one candidate after the other."""
    low, high = float(x.min()), float(x.max())
    one_sided = -low <= 0.1 * high
    best, found = np.inf, (low, high)
    for i in range(100):
        move = (high - low) * i / (100 if one_sided else 200)
        lower, upper = (low, high - move) if one_sided else (low + move, high - move)
        error = np.square(affine(x.astype(np.float64), lower, upper, bits) - x).sum()
        if error < best:
            best, found = error, (lower, upper)
    return found


@given(VALUES, BITS)
def test_extremes_give_the_affine_formula(values: np.ndarray, bits: int) -> None:
    quantizer = Bounds(bits, extremes)
    made = quantizer(torch.from_numpy(values)).detach().numpy()
    wanted = affine(values.astype(np.float64), values.min(), values.max(), bits)
    step = (float(values.max()) - float(values.min())) / (2**bits - 1)
    # at a tie float32 and float64 may take different levels
    assert np.abs(made - values).max() <= step / 2 + 1e-5
    ties = np.isclose(np.abs(wanted - values), step / 2, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(made[~ties], wanted[~ties], atol=1e-5)


@given(VALUES, BITS)
def test_dobi_finds_the_least_error_of_its_candidates(values: np.ndarray, bits: int) -> None:
    x = torch.from_numpy(values)
    lower, upper = (float(bound) for bound in dobi(x, bits))
    wanted = searched(values, bits)
    errors = [
        np.square(affine(values.astype(np.float64), *bounds, bits) - values).sum()
        for bounds in ((lower, upper), wanted)
    ]
    assert errors[0] <= errors[1] * 1.001 + 1e-6


def test_dobi_keeps_the_lower_end_of_what_a_softmax_gives() -> None:
    x = torch.softmax(3 * torch.randn(50, 64, generator=torch.Generator().manual_seed(0)), 1)
    lower, upper = dobi(x, 2)
    assert lower == x.min()
    assert upper < 0.9 * x.max()


def test_percentiles_are_numpys() -> None:
    x = torch.randn(4000, generator=torch.Generator().manual_seed(1))
    found = [float(bound) for bound in percentiles(x, 4)]
    np.testing.assert_allclose(found, np.percentile(x.numpy(), [1, 99]), rtol=1e-5)
    constant = torch.cat([torch.zeros(999), torch.ones(1)])
    assert [float(b) for b in percentiles(constant, 4)] == [0.0, 1.0]


def composed(x: Tensor, lower: Tensor, upper: Tensor, bits: int) -> Tensor:
    """The same with PyTorch's own operations and the straight-through estimator."""
    step = (upper - lower) / (2**bits - 1)
    u = (torch.minimum(torch.maximum(x, lower), upper) - lower) / step
    return (u + (u.round() - u).detach()) * step + lower


def test_gradients_of_the_bounds_are_those_of_the_formula() -> None:
    x = torch.randn(300, generator=torch.Generator().manual_seed(2)).double()
    quantizer = Bounds(3, percentiles).double()
    quantizer(x)
    given_x, wanted_x = x.clone().requires_grad_(), x.clone().requires_grad_()
    lower = quantizer.raw_lower.detach().clone().requires_grad_()
    upper = quantizer.raw_upper.detach().clone().requires_grad_()
    weights = torch.rand(300, generator=torch.Generator().manual_seed(3)).double()
    made, wanted = quantizer(given_x), composed(wanted_x, lower, upper, 3)
    torch.testing.assert_close(made, wanted)
    (made * weights).sum().backward()
    (wanted * weights).sum().backward()
    torch.testing.assert_close(given_x.grad, wanted_x.grad)
    torch.testing.assert_close(quantizer.raw_lower.grad, lower.grad)
    torch.testing.assert_close(quantizer.raw_upper.grad, upper.grad)


def test_noisyquant_on_a_linear_layer_is_its_formula() -> None:
    """W_q Q(x + N) + B - W_q N: the noise is taken off by the bias."""
    torch.manual_seed(0)
    layer = nn.Linear(6, 5)
    network = nn.Sequential(nn.Linear(6, 6), layer)
    picture = torch.rand(1, 3, 8, 6)
    made = calibrated(network, {"1": Scheme("noisyquant", 4, 4)}, [picture])[1]  # type: ignore[index]
    noise, step = made.activation.noise, made.activation.step
    largest = layer.weight.abs().amax(1, keepdim=True)
    weight = (layer.weight / (largest / 7)).round() * (largest / 7)
    x = torch.randn(40, 6)
    codes = ((x + noise) / step).round().clamp(-8, 7)
    wanted = nn.functional.linear(codes * step, weight, layer.bias - weight @ noise)
    torch.testing.assert_close(made(x), wanted, atol=1e-5, rtol=1e-5)


def test_the_noise_lessens_the_error_of_the_output() -> None:
    random = torch.Generator().manual_seed(0)
    x = torch.nn.functional.gelu(torch.randn(1500, 8, generator=random))
    weight = torch.randn(4, 8, generator=random)
    quantizer = NoisyInput(4, 8)
    quantizer.search(x, weight)
    errors = []
    for noise in (torch.zeros(8), quantizer.noise.clone()):
        quantizer.noise.copy_(noise)
        errors.append(((quantizer(x) - x) @ weight.T).square().sum())
    assert errors[1] < errors[0]


@given(arrays.arrays(np.float32, (3, 5), elements=st.floats(-4, 4, width=32)), BITS)
def test_rows_of_weights_have_steps_of_their_own(weight: np.ndarray, bits: int) -> None:
    made = RowMaxWeight(bits)(torch.from_numpy(weight)).numpy()
    for row, result in zip(weight, made, strict=True):
        step = max(np.abs(row).max() / (2 ** (bits - 1) - 1), 1e-8)
        assert np.abs(result - row).max() <= step * 0.5001
        assert np.allclose(np.round(result / step), result / step, atol=1e-3)


@pytest.mark.parametrize("method", POST_TRAINING)
def test_calibration_sees_full_precision_and_leaves_the_network_alone(method: str) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(16, 8), nn.GELU(), nn.Linear(8, 8), nn.Linear(8, 4))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    picture = torch.rand(1, 3, 16, 16)
    both = calibrated(network, dict.fromkeys(("0", "3"), Scheme(method, 2, 2)), [picture])
    alone = calibrated(network, {"3": Scheme(method, 2, 2)}, [picture])
    for name, value in both[3].activation.state_dict().items():  # type: ignore[index,union-attr]
        torch.testing.assert_close(value, alone[3].activation.state_dict()[name])  # type: ignore[index,union-attr]
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def swin() -> nn.Module:
    torch.manual_seed(0)
    return light(2, features=12, groups=2, layers=2, heads=2).eval().requires_grad_(False)


def error(network: nn.Module, teacher: nn.Module, x: Tensor) -> float:
    with torch.no_grad():
        return float((network(x) - teacher(x)).square().mean())


def test_distilled_bounds_are_nearer_to_the_teacher() -> None:
    teacher = swin()
    for parameter in teacher.parameters():
        nn.init.normal_(parameter, std=0.2)
    pictures = [torch.rand(1, 3, 40, 32) for _ in range(3)]
    student = calibrated(teacher, swin_schemes(teacher, Scheme("dobi", 3, 3)), pictures)
    weights = {n: layer.weight.clone() for n, layer in quantized_layers(student).items()}
    x = torch.rand(2, 3, 32, 32)
    before = error(student, teacher, x)
    seen: list[tuple[int, int]] = []
    guides = [f"layers.{i}.residual_group" for i in range(2)]
    distil_bounds(student, teacher, pictures, guides, 40, watch=lambda *at: seen.append(at))
    assert error(student, teacher, x) < 0.95 * before
    assert seen[0] == (0, 40)
    assert seen[-1] == (40, 40)
    for name, layer in quantized_layers(student).items():
        assert torch.equal(layer.weight, weights[name])
        assert not layer.weight.requires_grad


def test_distillation_can_be_stopped_and_repeats_itself() -> None:
    teacher, pictures = swin(), [torch.rand(1, 3, 24, 24)]
    schemes = swin_schemes(teacher, Scheme("dobi", 4, 4))

    def learned(watch: Callable[[int, int], None] = lambda done, total: None) -> list[Tensor]:
        student = calibrated(teacher, schemes, pictures)
        distil_bounds(student, teacher, pictures, ["layers.0"], 3, watch=watch)
        return [m.raw_upper.detach() for m in student.modules() if isinstance(m, Bounds)]

    for one, other in zip(learned(), learned(), strict=True):
        assert torch.equal(one, other)

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        learned(stop)


def test_what_cannot_be_calibrated_or_distilled() -> None:
    network = swin()
    with pytest.raises(QuantlibError, match="at least one picture"):
        calibrated(network, swin_schemes(network, Scheme("dobi", 4, 4)), [])
    student = calibrated(
        network, swin_schemes(network, Scheme("noisyquant", 4, 4)), [torch.rand(1, 3, 16, 16)]
    )
    with pytest.raises(QuantlibError, match="no bounds to learn"):
        distil_bounds(student, network, [torch.rand(1, 3, 16, 16)], [])
    with pytest.raises(QuantlibError, match="smaller than the network's window"):
        calibrated(
            network, swin_schemes(network, Scheme("minmax", 4, 4)), [torch.rand(1, 3, 5, 40)]
        )


def attention_by_hand(layer: nn.Module, x: Tensor, quantize: Callable[[Tensor], Tensor]) -> Tensor:
    """WindowAttention without a mask, its factors passed through `quantize`."""
    windows, tokens, features = x.shape
    q, k, v = (
        layer.qkv(x)  # type: ignore[operator]
        .reshape(windows, tokens, 3, layer.num_heads, -1)
        .permute(2, 0, 3, 1, 4)
    )
    index = layer.relative_position_index.flatten()  # type: ignore[union-attr, operator]
    bias = layer.relative_position_bias_table[index]  # type: ignore[index]
    bias = bias.view(tokens, tokens, -1).permute(2, 0, 1)
    scores = torch.einsum("whid,whjd->whij", quantize(q * layer.scale), quantize(k)) + bias
    mixed = torch.einsum("whij,whjd->wihd", quantize(scores.softmax(-1)), quantize(v))
    return layer.proj(mixed.reshape(windows, tokens, features))  # type: ignore[operator]


def test_products_of_quantized_factors_are_the_formula() -> None:
    network = swin()
    name = "layers.0.residual_group.blocks.0.attn"
    original = network.get_submodule(name)
    made = calibrated(network, {name: Scheme("minmax", 8, 3)}, [torch.rand(1, 3, 16, 16)])
    layer = quantized_products(made)[name]
    assert layer.qkv.weight.data_ptr() != original.qkv.weight.data_ptr()  # type: ignore[union-attr]
    x = torch.randn(5, 64, 12)
    left, right, attention, values = (q for pair in layer.factors for q in pair)  # type: ignore[union-attr]
    quantizers = iter([left, right, attention, values])
    wanted = attention_by_hand(original, x, lambda factor: next(quantizers)(factor))
    torch.testing.assert_close(layer(x), wanted)
    assert not torch.allclose(layer(x), original(x), atol=1e-4)
    plain = attention_by_hand(original, x, lambda factor: factor)
    torch.testing.assert_close(original(x), plain)


def test_swin_layers_by_kind() -> None:
    network = light(2, features=12, groups=2, layers=1, heads=2)
    kinds = {
        "linear": swin_schemes(network, Scheme()),
        "convolutions": swin_schemes(network, Scheme(), convolutions=True),
        "products": swin_schemes(network, Scheme(), products=True),
        "ends": swin_schemes(network, Scheme(), ends="8bit"),
    }
    assert len(kinds["linear"]) == 8
    more = {kind: schemes.keys() - kinds["linear"].keys() for kind, schemes in kinds.items()}
    assert more["convolutions"] == {"layers.0.conv", "layers.1.conv"}
    assert more["products"] == {f"layers.{i}.residual_group.blocks.0.attn" for i in range(2)}
    assert more["ends"] == {"conv_first", "conv_after_body", "upsample.0"}
    with pytest.raises(QuantlibError, match="no precision"):
        swin_schemes(network, Scheme(), ends="4bit")
