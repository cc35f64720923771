import copy
import shutil
from math import sqrt

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from torch import Tensor

from quantlib.errors import QuantlibError
from quantlib.qat import fused
from quantlib.qat.lsq import LSQ
from quantlib.qat.rlq import RLQ, rlq
from quantlib.qat.soft_rounding import phi

LAYOUTS = {
    "vector": (7,),
    "matrix": (6, 4),
    "tokens": (2, 5, 4),
    "planes": (2, 3, 4, 5),
    "channels last": (2, 3, 4, 5),
}


def random(layout: str, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    made = torch.randn(
        LAYOUTS[layout], generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    if layout == "channels last":
        made = made.contiguous(memory_format=torch.channels_last)
    return made.to(dtype)


def along(shift: Tensor, x: Tensor) -> Tensor:
    return shift.view(1, -1, 1, 1) if x.dim() == 4 else shift


def composed(
    x: Tensor, step: Tensor, bits: int, signed: bool, shift: Tensor | None, k: float
) -> Tensor:
    """RLQ of operations that autograd knows: round in the forward pass, φ_k in the backward one."""
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    scale = 1 / sqrt(x.numel() * high)
    step = step * scale + (step - step * scale).detach()
    u = (x if shift is None else x + along(shift, x)) / step
    soft = phi(u.clamp(low, high), k)
    return (soft + (soft.round() - soft).detach()) * step


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shifted", [False, True])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("k", [0.0, 0.5, 1.0, 3.0])
def test_gradients_are_those_of_the_composed_formula(k, signed, shifted, layout):
    x = random(layout).requires_grad_()
    step = torch.tensor(0.37, dtype=torch.float64, requires_grad=True)
    inputs = [x, step]
    shift = None
    if shifted:
        channels = x.shape[1] if x.dim() == 4 else x.shape[-1]
        shift = torch.linspace(-0.4, 0.3, channels, dtype=torch.float64, requires_grad=True)
        inputs.append(shift)
    grad = random(layout, seed=1)
    made, wanted = rlq(x, step, 3, signed, shift, k), composed(x, step, 3, signed, shift, k)
    torch.testing.assert_close(made, wanted, rtol=1e-12, atol=1e-12)
    for one, other in zip(
        torch.autograd.grad(made, inputs, grad),
        torch.autograd.grad(wanted, inputs, grad),
        strict=True,
    ):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("k", [0.5, 2.0])
def test_gradient_of_the_values_is_the_slope_of_the_soft_surrogate(k):
    """α · φ_k(clip(x / α)), the surrogate, measured by finite differences."""
    x = random("matrix").requires_grad_()
    step = torch.tensor(0.37, dtype=torch.float64)

    def surrogate(values: Tensor) -> Tensor:
        return phi((values / step).clamp(-4, 3), k) * step

    assert torch.autograd.gradcheck(surrogate, (x,))
    (made,) = torch.autograd.grad(rlq(x, step, 3, True, k=k).sum(), x)
    nudge = 1e-6
    measured = (surrogate(x + nudge) - surrogate(x - nudge)).detach() / (2 * nudge)
    torch.testing.assert_close(made, measured, rtol=1e-5, atol=1e-7)


def test_k_zero_is_lsq_by_hand():
    """LSQ, equations 2 to 4, in NumPy."""
    x = random("planes").requires_grad_()
    step = torch.tensor(0.41, dtype=torch.float64, requires_grad=True)
    grad = random("planes", seed=3)
    rlq(x, step, 2, True, k=0.0).backward(grad)
    g, u = grad.numpy(), x.detach().numpy() / 0.41
    inside = (u > -2) & (u < 1)
    of_step = np.where(inside, np.rint(u) - u, np.where(u <= -2, -2, 1))
    assert x.grad is not None and step.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), g * inside)
    assert step.grad.item() == pytest.approx((g * of_step).sum() / sqrt(u.size * 1))


def test_lsq_is_the_limit_of_rlq():
    x = random("matrix")
    gradients = []
    for quantizer in (LSQ(3), RLQ(3, k=1e-5)):
        quantizer.double()
        values = x.clone().requires_grad_()
        quantizer(values).square().sum().backward()
        assert values.grad is not None and quantizer.raw_step.grad is not None
        gradients.append((values.grad, quantizer.raw_step.grad))
        assert quantizer.shift is None
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-6, atol=1e-8)


@st.composite
def tensors_and_shifts(draw) -> tuple[np.ndarray, np.ndarray]:
    shape = draw(array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4))
    finite = st.floats(-100, 100, width=32)
    channels = shape[1] if len(shape) == 4 else shape[-1]
    return draw(arrays(np.float32, shape, elements=finite)), draw(
        arrays(np.float32, channels, elements=finite)
    )


@settings(deadline=None)
@given(tensors_and_shifts(), st.floats(2**-9, 64, width=32), st.integers(2, 8), st.booleans())
def test_forward_follows_the_formula(given_tensors, step, bits, signed):
    x, shift = given_tensors
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    moved = x + (shift[:, None, None] if x.ndim == 4 else shift)
    wanted = np.float32(step) * np.clip(np.rint(moved / np.float32(step)), low, high)
    made = rlq(torch.from_numpy(x), torch.tensor(step), bits, signed, torch.from_numpy(shift))
    np.testing.assert_array_equal(made.numpy(), wanted.astype(np.float32))


def test_softness_changes_no_value():
    x = random("planes", dtype=torch.float32)
    step = torch.tensor(0.2)
    assert torch.equal(rlq(x, step, 4, True, k=0.0), rlq(x, step, 4, True, k=5.0))


def test_layout_in_memory_is_kept_and_changes_no_value():
    planes, last = random("planes"), random("channels last")
    step, shift = torch.tensor(0.3, dtype=torch.float64), torch.tensor([0.1, -0.2, 0.3])
    made = rlq(last, step, 3, True, shift.double())
    assert made.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(made, rlq(planes, step, 3, True, shift.double()))
    turned = planes.transpose(2, 3)
    assert torch.equal(rlq(turned, step, 3, True), rlq(turned.contiguous(), step, 3, True))


@pytest.mark.parametrize("method", [LSQ, RLQ])
def test_step_stays_positive_under_hostile_optimisers(method):
    quantizer = method(2, signed=True)
    optimiser = torch.optim.SGD(quantizer.parameters(), lr=1e3)
    draw = torch.Generator().manual_seed(0)
    signs = set()
    for _ in range(30):
        x = 10 * torch.randn(4, 5, generator=draw) * quantizer.step.detach()
        made = quantizer(x)
        assert made.isfinite().all()
        optimiser.zero_grad()
        made.abs().sum().backward()
        optimiser.step()
        signs.add(bool(quantizer.raw_step > 0))
        assert quantizer.step > 0
    assert signs == {False, True}
    with torch.no_grad():
        quantizer.raw_step.zero_()
    assert quantizer.step > 0
    assert quantizer(x).isfinite().all()


def test_step_starts_as_in_lsq_and_may_be_fixed():
    x = random("planes", dtype=torch.float32)
    for signed, highest in ((True, 7), (False, 15)):
        quantizer = RLQ(4, signed)
        quantizer(x)
        start = 2 * x.abs().mean().item() / sqrt(highest)
        assert quantizer.step.item() == pytest.approx(start, rel=1e-6)
        quantizer(10 * x)
        assert quantizer.step.item() == pytest.approx(start, rel=1e-6)
    fixed = RLQ(4, channels=3, learn_step=False)
    fixed(x).sum().backward()
    assert fixed.raw_step.grad is None
    assert fixed.shift is not None and fixed.shift.grad is not None


def test_a_first_tensor_of_zeros_can_be_left_behind():
    quantizer = RLQ(2, signed=None)
    quantizer(torch.zeros(3, 3))
    quantizer(torch.ones(3, 3)).sum().backward()
    assert quantizer.raw_step.grad


@pytest.mark.parametrize(
    ("first", "signed"), [(0.0, False), (-9e-6, False), (-2e-5, True), (-1.0, True)]
)
def test_the_first_tensor_decides_on_the_sign(first, signed):
    quantizer = RLQ(3, signed=None)
    quantizer(torch.tensor([first, 1.0]))
    assert quantizer.signed is signed
    quantizer(torch.tensor([-5.0, 5.0]))
    quantizer(torch.tensor([1.0, 5.0]))
    assert quantizer.signed is signed
    assert (quantizer(torch.tensor([-5.0])) < 0).item() is signed


def test_autocast_decides_on_the_dtype():
    x = random("planes", dtype=torch.float32).requires_grad_()
    quantizer = RLQ(3, channels=3)
    plain = quantizer(x)
    assert plain.dtype == torch.float32
    with torch.autocast("cpu", torch.bfloat16):
        cast = quantizer(x)
        assert quantizer.double()(x.double()).dtype == torch.float64
    assert cast.dtype == torch.bfloat16
    assert torch.equal(cast, plain.bfloat16())
    cast.sum().backward()
    assert x.grad is not None and x.grad.dtype == torch.float32
    assert quantizer.raw_step.grad is not None and quantizer.raw_step.grad.isfinite()


needs_a_compiler = pytest.mark.skipif(
    not (shutil.which("g++") or shutil.which("clang++") or shutil.which("c++")),
    reason="PyTorch finds no C++ compiler",
)


@needs_a_compiler
def test_compiled_kernels_give_what_the_formula_gives():
    """Rows of one tensor above the size that is compiled, and of its halves below it."""
    x = torch.randn(96, 64, generator=torch.Generator().manual_seed(5))
    shift = torch.linspace(-1, 1, 64)
    assert x.numel() // 2 < fused.WORTH_COMPILING <= x.numel()

    def run(values: Tensor) -> list[Tensor]:
        inputs = [values.clone(), torch.tensor(0.3), shift.clone()]
        for tensor in inputs:
            tensor.requires_grad_()
        made = rlq(*inputs[:2], 4, True, inputs[2])  # type: ignore[arg-type]
        made.backward(values.sin())
        return [made.detach(), *(tensor.grad for tensor in inputs)]  # type: ignore[list-item]

    made, d_x, d_step, d_shift = run(x)
    halves = [run(x[:48]), run(x[48:])]
    assert torch.equal(made, torch.cat([half[0] for half in halves]))
    torch.testing.assert_close(d_x, torch.cat([half[1] for half in halves]), rtol=1e-5, atol=1e-6)
    parts = (halves[0][2] + halves[1][2]) / sqrt(2)
    torch.testing.assert_close(d_step, parts, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(d_shift, halves[0][3] + halves[1][3], rtol=1e-4, atol=1e-5)


def test_without_a_compiler_the_formula_runs_as_it_is(monkeypatch):
    tried = []

    def no_compiler(function, **settings):
        tried.append(function)
        raise RuntimeError("no compiler")

    monkeypatch.setattr(torch, "compile", no_compiler)

    def doubled(x: Tensor) -> Tensor:
        return 2 * x

    call = fused.fused(doubled)
    large = torch.ones(fused.WORTH_COMPILING)
    assert torch.equal(call(large), 2 * large)
    assert torch.equal(call(large), 2 * large)
    assert tried == [doubled]


def test_a_copy_learns_on_its_own():
    quantizer = RLQ(3, signed=None, channels=4)
    quantizer(random("matrix", dtype=torch.float32))
    twin = copy.deepcopy(quantizer)
    with torch.no_grad():
        twin.raw_step.mul_(2)
    assert twin.step > 1.9 * quantizer.step
    assert (twin.signed, twin.initialised) == (True, True)


def test_what_cannot_be_is_refused():
    x = torch.ones(3)
    with pytest.raises(QuantlibError, match="at least 2 bits"):
        rlq(x, torch.tensor(1.0), 1, True)
    with pytest.raises(QuantlibError, match="cannot be negative"):
        rlq(x, torch.tensor(1.0), 4, True, k=-1.0)
    for bits in (1, 9):
        with pytest.raises(QuantlibError, match="2 to 8 bits"):
            RLQ(bits)
    for value in (torch.nan, torch.inf):
        with pytest.raises(QuantlibError, match="not finite"):
            RLQ(4)(torch.tensor([1.0, value]))
