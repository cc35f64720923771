"""PACT, DoReFa, PAMS and DDTB against their formulas, written anew in NumPy or in autograd."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from torch import Tensor

from quantlib.errors import QuantlibError
from quantlib.qat.clipped import ClippedQuantizer
from quantlib.qat.ddtb import DDTB, DDTBWeight
from quantlib.qat.dorefa import DoReFa, DoReFaWeight
from quantlib.qat.pact import PACT
from quantlib.qat.pams import PAMS, PAMSWeight
from quantlib.qat.quantizer import LearnedQuantizer
from quantlib.qat.scheme import LEARNED, Scheme
from quantlib.quantizers.packed import PackedTensor
from tests.examples import examples

BITS = [2, 3, 4, 8]
QUANTIZERS: dict[str, Callable[[int], LearnedQuantizer]] = {
    "pact": PACT,
    "dorefa": DoReFa,
    "dorefa weight": DoReFaWeight,
    "dorefa weight, scaled": lambda bits: DoReFaWeight(bits, keep_scale=True),
    "pams": PAMS,
    "pams weight": PAMSWeight,
    "ddtb": DDTB,
    "ddtb weight": DDTBWeight,
    "rlq": lambda bits: Scheme("rlq", bits, bits).for_weight(),
}


def values(seed: int = 0, shape: tuple[int, ...] = (2, 3, 5, 4)) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def ste_round(x: Tensor) -> Tensor:
    return x + (x.round() - x).detach()


def gradients(made: Tensor, *inputs: Tensor) -> tuple[Tensor, ...]:
    grad = values(seed=9, shape=tuple(made.shape))
    return torch.autograd.grad(made, inputs, grad.to(made.dtype))


def grad_of(x: Tensor) -> np.ndarray:
    return values(seed=9, shape=tuple(x.shape)).numpy()


# PACT


@pytest.mark.parametrize("bits", BITS)
def test_pact(bits):
    """y = round(clip(x, 0, α) (2^b - 1) / α) α / (2^b - 1), equations 1 and 2."""
    x = values()
    quantizer = PACT(bits, signed=False).double()
    quantizer(x)
    assert quantizer.clip.item() == pytest.approx(x.abs().max().item())
    with torch.no_grad():
        quantizer.raw_clip.fill_(0.8)
    steps = 2**bits - 1
    wanted = np.rint(np.clip(x.numpy(), 0, 0.8) * steps / 0.8) * 0.8 / steps
    np.testing.assert_allclose(quantizer(x).detach().numpy(), wanted, atol=1e-7)


def test_pact_of_signed_values():
    x = values()
    quantizer = PACT(3).double()
    quantizer(x)
    assert quantizer.signed
    with torch.no_grad():
        quantizer.raw_clip.fill_(0.8)
    wanted = np.rint(np.clip(x.numpy(), -0.8, 0.8) * 3 / 0.8) * 0.8 / 3
    np.testing.assert_allclose(quantizer(x).detach().numpy(), wanted, atol=1e-7)


@pytest.mark.parametrize("signed", [False, True])
def test_gradients_of_pact_by_hand(signed):
    x = values().requires_grad_()
    quantizer = PACT(3, signed).double()
    quantizer(x)
    with torch.no_grad():
        quantizer.raw_clip.fill_(0.8)
    d_x, d_clip = gradients(quantizer(x), x, quantizer.raw_clip)
    v, g = x.detach().numpy(), grad_of(x)
    low = -0.8 if signed else 0
    np.testing.assert_allclose(d_x.numpy(), g * ((v >= low) & (v <= 0.8)))
    wanted = (g * (v >= 0.8)).sum() - signed * (g * (v <= -0.8)).sum()
    assert d_clip.item() == pytest.approx(wanted)


def test_a_value_at_pacts_clip_moves_it():
    quantizer = PACT(2, signed=False)
    quantizer(torch.tensor([2.0]))
    (d_clip,) = torch.autograd.grad(quantizer(quantizer.clip.detach().view(1)), quantizer.raw_clip)
    assert d_clip == 1


def test_penalty_of_pact():
    quantizer = PACT(4, decay=0.01)
    quantizer(torch.tensor([-1.0, 3.0]))
    penalty = quantizer.penalty()
    assert penalty.item() == pytest.approx(0.01 * 9)
    (slope,) = torch.autograd.grad(penalty, quantizer.raw_clip)
    assert slope.item() == pytest.approx(0.01 * 2 * 3)
    others = [m for m in LEARNED if m != "pact"]
    for scheme in map(Scheme, others):
        quantizers = [scheme.for_weight(), scheme.for_input(4)]
        assert [q.penalty() for q in quantizers if q] == [0, 0]
    assert Scheme("pact").for_weight().penalty() == 0


# DoReFa


@pytest.mark.parametrize("bits", BITS)
def test_dorefa_activations(bits):
    x = values().numpy()
    unsigned, signed = 2**bits - 1, 2 ** (bits - 1) - 1
    for quantizer, wanted in [
        (DoReFa(bits, signed=False), np.rint(np.clip(x, 0, 1) * unsigned) / unsigned),
        (DoReFa(bits, signed=True), np.rint(np.clip(x, -1, 1) * signed) / signed),
    ]:
        made = quantizer.double()(torch.from_numpy(x))
        np.testing.assert_allclose(made.numpy(), wanted, atol=1e-6)
        assert not list(quantizer.parameters())


def test_gradient_of_dorefa_activations():
    x = values().requires_grad_()
    (d_x,) = gradients(DoReFa(2, signed=False)(x), x)
    inside = (x.detach().numpy() >= 0) & (x.detach().numpy() <= 1)
    np.testing.assert_allclose(d_x.numpy(), grad_of(x) * inside)


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("keep_scale", [False, True])
def test_dorefa_weights(bits, keep_scale):
    """Equation 9 of the paper; the gradient is that of its operations."""
    w = (values() / 10).requires_grad_()
    squashed = torch.tanh(w)
    largest = squashed.abs().max()
    steps = 2**bits - 1
    wanted = 2 * ste_round((squashed / (2 * largest) + 0.5) * steps) / steps - 1
    made = DoReFaWeight(bits, keep_scale)(w)
    if not keep_scale:
        torch.testing.assert_close(made, wanted)
        assert made.abs().max() == 1
        torch.testing.assert_close(gradients(made, w), gradients(wanted, w))
    else:
        torch.testing.assert_close(made, wanted * largest)
        torch.testing.assert_close(gradients(made, w), gradients(squashed, w))


def test_dorefa_weights_with_their_scale_tend_to_the_weights():
    w = values() / 20
    wide = DoReFaWeight(8, keep_scale=True)
    step = wide.grid(w).step
    error = (wide(w) - w).abs()
    assert (error <= step / 2 + w.abs() ** 3 / 3 + 1e-9).all()
    assert (DoReFaWeight(8)(w) - w).abs().max() > 0.5


def test_dorefa_weights_of_zeros():
    for keep_scale in (False, True):
        quantizer = DoReFaWeight(3, keep_scale)
        assert quantizer(torch.zeros(4)).isfinite().all()


# PAMS


@pytest.mark.parametrize("bits", BITS)
def test_pams(bits):
    """Values and gradients of its formula as autograd takes it, clip and rounding composed."""
    x = values().requires_grad_()
    quantizer = PAMS(bits).double()
    quantizer(x)
    per_image = np.abs(x.detach().numpy()).reshape(2, -1).max(1)
    assert quantizer.clip.item() == pytest.approx(per_image.mean())
    with torch.no_grad():
        quantizer.raw_clip.fill_(0.7)
    clip = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    highest = 2 ** (bits - 1) - 1
    wanted = ste_round(torch.max(torch.min(x, clip), -clip) * highest / clip) * clip / highest
    made = quantizer(x)
    torch.testing.assert_close(made, wanted, atol=1e-7, rtol=1e-6)
    torch.testing.assert_close(
        gradients(made, x, quantizer.raw_clip), gradients(wanted, x, clip), atol=1e-6, rtol=1e-6
    )


def test_pams_is_signed_behind_a_relu():
    quantizer = PAMS(4)
    quantizer(values().relu().float())
    assert quantizer.bitwidth.signed
    assert quantizer.codes == (-7, 7)


@pytest.mark.parametrize("bits", BITS)
def test_pams_weights(bits):
    w = values().requires_grad_()
    highest, largest = 2 ** (bits - 1) - 1, np.abs(w.detach().numpy()).max()
    made = PAMSWeight(bits)(w)
    wanted = np.rint(w.detach().numpy() * highest / largest) * largest / highest
    np.testing.assert_allclose(made.detach().numpy(), wanted, atol=1e-7)
    (d_w,) = gradients(made, w)
    np.testing.assert_array_equal(d_w.numpy(), grad_of(w))
    torch.testing.assert_close(PAMSWeight(bits)(2 * w), 2 * made)


# DDTB


def ddtb_formula(x: Tensor, lower: Tensor, upper: Tensor, bits: int) -> Tensor:
    """As the released code composes it: scale, zero point, and rounding straight through."""
    scale = (2**bits - 1) / (upper - lower)
    zero = ste_round(scale * lower) + 2 ** (bits - 1)
    code = ste_round(scale * torch.max(torch.min(x, upper), lower) - zero)
    return (code + zero) / scale


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize(("low", "high"), [(-0.63, 0.91), (0.07, 1.3), (-1.1, -0.2)])
def test_ddtb(bits, low, high):
    x = values().requires_grad_()
    quantizer = DDTB(bits).double()
    quantizer(x)
    percentiles = np.percentile(x.detach().numpy(), [1, 99])
    starts = [quantizer.raw_lower.item(), quantizer.raw_upper.item()]
    np.testing.assert_allclose(starts, percentiles, rtol=1e-6)
    with torch.no_grad():
        quantizer.raw_lower.fill_(low)
        quantizer.raw_upper.fill_(high)
    lower = torch.tensor(low, dtype=torch.float64, requires_grad=True)
    upper = torch.tensor(high, dtype=torch.float64, requires_grad=True)
    made, wanted = quantizer(x), ddtb_formula(x, lower, upper, bits)
    torch.testing.assert_close(made, wanted)
    torch.testing.assert_close(
        gradients(made, x, quantizer.raw_lower, quantizer.raw_upper),
        gradients(wanted, x, lower, upper),
    )


@pytest.mark.parametrize("bits", BITS)
def test_ddtb_weights(bits):
    w = values().requires_grad_()
    low, high = (torch.tensor(p) for p in np.percentile(w.detach().numpy(), [1, 99]))
    made, wanted = DDTBWeight(bits)(w), ddtb_formula(w, low, high, bits)
    torch.testing.assert_close(made, wanted)
    torch.testing.assert_close(gradients(made, w), gradients(wanted, w))


def test_ddtb_behind_a_relu_starts_at_zero():
    quantizer = DDTB(4)
    x = values().relu().float()
    made = quantizer(x)
    assert quantizer.raw_lower == 0
    assert (made[x == 0] == 0).all()


def test_ddtb_of_mostly_equal_values_takes_the_whole_range():
    x = torch.zeros(1000)
    x[0] = 4.0
    quantizer = DDTB(2)
    assert quantizer(x)[0] == 4


def gated(channels: int = 3, learned: bool = True) -> DDTB:
    torch.manual_seed(4)
    quantizer = DDTB(4, channels, gate=True)
    quantizer(values().float())
    if learned:
        assert quantizer.gate is not None
        for parameter in quantizer.gate.parameters():
            torch.nn.init.normal_(parameter)
    return quantizer


def test_the_gate_starts_without_effect():
    x = values().float()
    plain = DDTB(4)
    assert torch.equal(gated(learned=False)(x), plain(x))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_gate_scales_the_bounds_of_each_image(layout):
    quantizer = gated()
    x = values().float().contiguous(memory_format=layout).requires_grad_()
    assert quantizer.gate is not None
    pooled = x.detach().mean((2, 3))
    first, _, second = quantizer.gate.layers
    scales = 2 * torch.sigmoid((pooled @ first.weight.T).relu() @ second.weight.T)  # type: ignore[union-attr]
    assert (scales > 0).all() and (scales < 2).all() and scales[0, 0] != scales[1, 0]
    lower, upper = quantizer.raw_lower * scales[:, 0], quantizer.raw_upper * scales[:, 1]
    wanted = ddtb_formula(x, lower.view(-1, 1, 1, 1), upper.view(-1, 1, 1, 1), 4)
    made = quantizer(x)
    torch.testing.assert_close(made, wanted)
    inputs = [x, *quantizer.parameters()]
    torch.testing.assert_close(
        gradients(made, *inputs), gradients(wanted, *inputs), rtol=1e-4, atol=1e-4
    )
    alone = torch.cat([quantizer(image) for image in x.split(1)])
    torch.testing.assert_close(made, alone)


def test_a_gated_batch_has_no_common_levels():
    quantizer = gated()
    x = values().float()
    for ask in (quantizer.grid, quantizer.encode, quantizer.sizes, quantizer.to_int):
        with pytest.raises(QuantlibError, match="one image at a time"):
            ask(x)
        ask(x[:1])
    steps = [quantizer.grid(image).step.item() for image in x.split(1)]
    assert steps[0] != steps[1]


@pytest.mark.parametrize("shape", [(4, 3), (4, 7, 3)])
def test_the_gate_of_tensors_that_are_no_pictures(shape):
    quantizer = DDTB(4, channels=3, gate=True)
    quantizer(values(shape=shape).float())
    assert quantizer.gate is not None
    torch.nn.init.normal_(quantizer.gate.layers[2].weight)  # type: ignore[arg-type]
    x = values(shape=shape).float()
    torch.testing.assert_close(quantizer(x), torch.cat([quantizer(row) for row in x.split(1)]))


# All of them


@st.composite
def quantizers_and_values(draw) -> tuple[LearnedQuantizer, Tensor]:
    shape = draw(array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=5))
    floats = st.floats(-1e4, 1e4, width=32, allow_subnormal=False)
    first, x = (torch.from_numpy(draw(arrays(np.float32, shape, elements=floats))) for _ in "12")
    quantizer = QUANTIZERS[draw(st.sampled_from(sorted(QUANTIZERS)))](draw(st.integers(2, 8)))
    quantizer(first)
    return quantizer, x


def narrow_range() -> tuple[LearnedQuantizer, Tensor]:
    """Both bounds at one value, far from which the next tensor lies."""
    quantizer = DDTB(3)
    quantizer(torch.tensor([0.25]))
    return quantizer, torch.zeros(1)


@examples(300)
@given(quantizers_and_values())
@example(narrow_range())
def test_bytes_decode_to_the_quantized_values(given_quantizer):
    quantizer, x = given_quantizer
    made = quantizer(x).detach()
    encoded = quantizer.encode(x)
    payload = encoded.to_bytes()
    assert torch.equal(PackedTensor.from_bytes(payload).decode(), made)
    assert quantizer.sizes(x) == encoded.sizes
    assert len(payload) == encoded.sizes.total
    grid, codes = quantizer.grid(x), quantizer.to_int(x)
    assert codes.min() >= grid.bitwidth.qmin and codes.max() <= grid.bitwidth.qmax
    assert torch.equal(codes * grid.step + grid.offset, made)
    assert grid.step > 0


@examples(100)
@given(quantizers_and_values())
def test_quantizing_twice_changes_nothing(given_quantizer):
    quantizer, x = given_quantizer
    if isinstance(quantizer, (DoReFaWeight, DDTBWeight)):
        return  # their range depends on the values
    made = quantizer(x).detach()
    torch.testing.assert_close(quantizer(made).detach(), made)


@pytest.mark.parametrize("name", [name for name in QUANTIZERS if name != "rlq"])
def test_evenly_spread_values_use_the_codes(name):
    """All of them but the one that a symmetric range has no use for."""
    x = torch.linspace(-1, 1, 4001)
    for bits in BITS:
        used = QUANTIZERS[name](bits)(x).unique().numel()
        assert 2**bits - 1 <= used <= 2**bits


@pytest.mark.parametrize("name", ["pact", "pams", "ddtb"])
def test_ranges_survive_hostile_optimisers(name):
    draw = torch.Generator().manual_seed(0)
    quantizer = QUANTIZERS[name](2)
    assert isinstance(quantizer, ClippedQuantizer)
    quantizer(torch.randn(4, 5, generator=draw))
    crossed = set()
    for _ in range(30):
        x = torch.randn(4, 5, generator=draw)
        with torch.no_grad():
            for parameter in quantizer.parameters():
                parameter.copy_(3 * torch.randn((), generator=draw))
                crossed.add((parameter > 0).item())
        made = quantizer(x)
        made.sum().backward()
        lower, upper = quantizer.bounds(x)
        assert lower < upper
        assert made.isfinite().all()
        assert quantizer.grid(x).step > 0
        for parameter in quantizer.parameters():
            assert parameter.grad is not None and parameter.grad.isfinite()
    assert crossed == {False, True}
    with torch.no_grad():
        for parameter in quantizer.parameters():
            parameter.zero_()
    assert quantizer(x).isfinite().all()
    assert quantizer.grid(x).step > 0


@pytest.mark.parametrize("name", QUANTIZERS)
def test_layout_dtype_and_zeros(name):
    x = values().float()
    quantizer = QUANTIZERS[name](3)
    made = quantizer(x)
    last = quantizer(x.contiguous(memory_format=torch.channels_last))
    assert torch.equal(made, last)
    assert last.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(quantizer(x.transpose(2, 3)).transpose(2, 3), made)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(quantizer(x), made.bfloat16())
    assert QUANTIZERS[name](3)(torch.zeros(2, 2)).isfinite().all()


def test_compiled_kernels_give_what_the_formula_gives():
    """A gated batch large enough to be compiled, and its images below that size."""
    x = values(shape=(4, 3, 24, 24)).float().requires_grad_()
    quantizer = gated()
    made = quantizer(x)
    (d_x,) = gradients(made, x)
    alone = torch.cat([quantizer(image) for image in x.split(1)])
    torch.testing.assert_close(made, alone, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(d_x, *gradients(alone, x))


def test_signs_are_decided_by_the_first_tensor():
    for made in (PACT(4), DoReFa(4)):
        made(torch.tensor([0.0, 1.0]))
        assert made.signed is False
        assert made(torch.tensor([-1.0])) == 0
    for made in (PACT(4), DoReFa(4)):
        made(torch.tensor([-0.5, 1.0]))
        assert made.signed is True
        assert made(torch.tensor([-1.0])) == -1
