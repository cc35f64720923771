"""Swin blocks on integers give what spandrel's own blocks give around the same integer layers."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from spandrel.architectures.SwinIR.__arch.SwinIR import SwinTransformerBlock
from torch import Tensor, nn
from torch.nn.functional import layer_norm

from quantlib.runtime.compiled_windows import _exp
from quantlib.runtime.grids import CodeGrid
from quantlib.runtime.layers import IntegerLayer, Quantize
from quantlib.runtime.lowering import lower
from quantlib.runtime.windows import WindowBlock, _normalised
from tests.examples import examples

LAYERS = ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")


class OneBlock(nn.Module):
    """A Swin block between channels and tokens, whose number of them no tracer can follow."""

    def __init__(self, window: int, shift: int, size: int, heads: int) -> None:
        super().__init__()
        sizes = {"window_size": window, "shift_size": shift, "mlp_ratio": 2.0}
        self.block = SwinTransformerBlock(size * heads, (2 * window,) * 2, heads, **sizes)
        for parameter in self.block.parameters():
            nn.init.normal_(parameter, std=0.3)

    def forward(self, x: Tensor) -> Tensor:
        height, width = int(x.shape[2]), int(x.shape[3])
        made = self.block(x.flatten(2).mT.contiguous(), (height, width))
        return made.mT.unflatten(2, (height, width))


def lowered(network: nn.Module, kernels: bool, layers: tuple[str, ...] = LAYERS) -> nn.Module:
    grids = {f"block.{name}": CodeGrid.over(-4, 4) for name in layers}
    return lower(network.eval().requires_grad_(False), grids, kernels).network


@examples(25)
@given(
    st.sampled_from([(4, 0), (4, 2), (8, 4), (3, 1)]),
    st.sampled_from([(5, 2), (10, 3), (16, 1)]),
    st.integers(1, 2),
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(0, 99),
)
def test_windows_give_what_the_block_gives(windows, heads, pictures, rows, columns, seed):
    torch.manual_seed(seed)
    network = OneBlock(*windows, *heads)
    x = torch.randn(pictures, heads[0] * heads[1], rows * windows[0], columns * windows[0])
    fast = lowered(network, kernels=True)
    assert any(isinstance(module, WindowBlock) for module in fast.modules())
    with torch.inference_mode():
        made, plain, whole = fast(x), lowered(network, kernels=False)(x), network(x)
    # a value between two levels may take either, and the layers behind it pass that on
    assert (made - plain).square().mean() < 0.01 * (plain - whole).square().mean()


def test_the_plain_form_runs_the_block_itself(monkeypatch):
    called, real = [], SwinTransformerBlock.forward
    monkeypatch.setattr(
        SwinTransformerBlock, "forward", lambda *given: called.append(1) or real(*given)
    )
    network, x = OneBlock(4, 2, 4, 2), torch.randn(1, 8, 8, 8)
    lowered(network, kernels=True)(x)
    assert not called
    lowered(network, kernels=False)(x)
    assert called


def test_a_block_with_a_layer_in_fp32_stays():
    made = lowered(OneBlock(4, 0, 4, 2), True, LAYERS[1:])
    assert not any(isinstance(module, WindowBlock) for module in made.modules())
    assert sum(isinstance(module, IntegerLayer) for module in made.modules()) == 3


@pytest.mark.parametrize("shift", [None, torch.linspace(-0.5, 0.5, 60)])
def test_codes_of_norms_are_those_of_pytorch(shift):
    torch.manual_seed(0)
    norm = nn.LayerNorm(60).requires_grad_(False)
    for parameter in (norm.weight, norm.bias):
        nn.init.normal_(parameter)
    x, grid = 3 * torch.randn(500, 60) + 1, CodeGrid(0.2, -8, 7, shift)
    codes = _normalised(x, norm, Quantize(grid))
    values = layer_norm(x.double(), (60,), norm.weight.double(), norm.bias.double(), norm.eps)
    exact = (values + (0 if shift is None else shift)) / 0.2
    expected = exact.round().clamp(-8, 7) + 8
    between_two = (exact - exact.floor() - 0.5).abs() < 1e-4
    assert (codes == expected)[~between_two].all()


def test_exponentials():
    x = np.linspace(-80, 0, 4001, dtype=np.float32)
    made = np.array([_exp(value) for value in x])
    np.testing.assert_allclose(made, np.exp(x.astype(np.float64)), rtol=3e-7)
    assert _exp(np.float32(-np.inf)) < 1e-37
