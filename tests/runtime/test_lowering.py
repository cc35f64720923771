"""The integer network against the fake-quantized one that it is made of."""

from functools import cache

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from quantlib.imaging.samples import load_sample
from quantlib.imaging.tensors import to_tensor
from quantlib.models import load
from quantlib.models.architectures.edsr import EDSR
from quantlib.qat.layers.placement import residual_schemes
from quantlib.qat.scheme import Scheme, quantize_layers, quantized_layers
from quantlib.runtime.agreement import decibels, equal_codes
from quantlib.runtime.grids import CodeGrid
from quantlib.runtime.layers import Accumulate, IntegerLayer, Quantize
from quantlib.runtime.lowering import lower

BUNDLED = [
    f"builtin:quantsr-c-{scale}-{bits}"
    for scale in ("x2", "x4")
    for bits in ("w2a2", "w4a4", "w8a8")
]


@cache
def photograph(side: int = 128) -> Tensor:
    return to_tensor(load_sample("cat", side).rgb)


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_networks_at_every_depth(name):
    network = load(name)
    for depth in ("full", "half", "quarter"):
        part = network.at_depth(depth)
        lowered = lower(part.network)
        with torch.inference_mode():
            expected, made = part(photograph()), part.around(lowered.network)(photograph())
        blocks = {"full": 16, "half": 8, "quarter": 4}[depth]
        assert len(lowered.integer_layers) == 2 * blocks
        assert decibels(made, expected) >= 55
        assert equal_codes(part, photograph()) >= 0.999


@pytest.mark.parametrize("name", ["builtin:quantsr-c-x2-w4a4", "builtin:quantsr-c-x4-w2a2"])
def test_the_plain_form_gives_the_same_picture(name):
    network, x = load(name), photograph(48)
    with torch.inference_mode():
        fast, plain = (
            network.around(lower(network.network, kernels=k).network)(x) for k in (True, False)
        )
    assert decibels(fast, plain) >= 55


def test_the_network_that_is_lowered_stays_as_it_is():
    network = load("builtin:quantsr-c-x2-w4a4")
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with torch.inference_mode():
        expected = network(photograph(48))
        lower(network.network, {"head.0": CodeGrid.over(0, 1)}).network(photograph(48))
        assert torch.equal(network(photograph(48)), expected)
    assert all(torch.equal(before[n], t) for n, t in network.state_dict().items())


def test_a_picture_is_not_overwritten():
    """The residual stream is summed up in place; what came from outside is no part of it."""

    class Shortcut(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            return self.second(x + self.first(x)) + x

    network = Shortcut().requires_grad_(False)
    x = torch.rand(1, 3, 8, 8).contiguous(memory_format=torch.channels_last)
    kept = x.clone()
    grids = {name: CodeGrid.over(-2, 2) for name in ("first", "second")}
    made = lower(network, grids).network(x)
    assert torch.equal(x, kept)
    assert decibels(made, network(x)) > 30


def test_what_lies_between_is_joined():
    """One pass in front of 16 blocks and one behind each; none inside a block."""
    modules = list(lower(load("builtin:quantsr-c-x2-w4a4").network).network.modules())
    counts = [sum(isinstance(m, kind) for m in modules) for kind in (Quantize, Accumulate)]
    assert counts == [1, 16]
    sums = [m for m in modules if isinstance(m, Accumulate)]
    elsewhere = [total for total in sums if total.grid is not None and not total.in_place]
    assert len(elsewhere) == 1, "x + body(x) needs the first value again"


def small_edsr(scheme: Scheme, **placed: str) -> EDSR:
    torch.manual_seed(0)
    network = EDSR(2, features=8, blocks=2, learnable_shortcuts=True).requires_grad_(False)
    quantize_layers(network, residual_schemes(network, scheme, **placed))  # type: ignore[arg-type]
    network(photograph(32))
    return network.eval()


@pytest.mark.parametrize("bits", [(2, 3), (4, 8), (8, 2), (5, 6)])
def test_any_bits(bits):
    network = small_edsr(Scheme("rlq", *bits))
    lowered = lower(network)
    assert {(lay.weight_bits, lay.input_bits) for lay in lowered.layers if lay.integer} == {bits}
    assert decibels(lowered.network(photograph(32)), network(photograph(32))) > 60


def test_ends_that_were_trained_with_eight_bits_run_as_integers():
    network = small_edsr(Scheme("rlq", 4, 4), ends="8bit")
    lowered = lower(network)
    assert all(layer.integer for layer in lowered.layers)
    assert decibels(lowered.network(photograph(32)), network(photograph(32))) > 50


@pytest.mark.parametrize(
    "scheme, why",
    [
        (Scheme("pams", 4, 4), "no multiples of one step"),
        (Scheme("rlq", 4, 0), "its input is not quantized"),
    ],
)
def test_layers_that_stay_say_why(scheme, why):
    network = small_edsr(scheme)
    lowered = lower(network)
    assert not lowered.integer_layers
    assert why in lowered["body.0.body.0"].why_not
    assert torch.allclose(lowered.network(photograph(32)), network(photograph(32)), atol=1e-5)


def scaled_channels(network: nn.Module) -> nn.Module:
    """Every channel of every quantized layer's input and output with a scale of its own."""
    for layer in quantized_layers(network).values():
        for scale in (layer.input_scale, layer.output_scale):
            assert scale is not None
            scale.data.uniform_(0.5, 2, generator=torch.Generator().manual_seed(len(scale)))
        assert layer.bias is not None
        layer.bias.data.uniform_(-0.1, 0.1, generator=torch.Generator().manual_seed(1))
    return network


@pytest.mark.parametrize("traced", [True, False])
def test_scales_of_channels_stand_in_front_of_the_quantizer(traced, monkeypatch):
    network = scaled_channels(small_edsr(Scheme("rlq", 4, 4, scale_channels=True)))
    expected = network(photograph(32))
    if not traced:
        monkeypatch.setattr("quantlib.runtime.lowering.traced", lambda network: None)
    lowered = lower(network)
    assert set(lowered.integer_layers) == set(quantized_layers(network))
    assert decibels(lowered.network(photograph(32)), expected) > 60
    assert torch.equal(network(photograph(32)), expected)
    if traced:
        inner = [m for m in lowered.network.modules() if isinstance(m, IntegerLayer) and m.output]
        assert len(inner) == 2, "the scales behind a layer are a part of it"


def test_a_negative_scale_does_not_pass_a_rectifier():
    network = scaled_channels(small_edsr(Scheme("rlq", 4, 4, scale_channels=True)))
    scale = network.get_submodule("body.0.body.2").input_scale
    assert isinstance(scale, nn.Parameter)
    scale.data[::2] *= -1
    made = lower(network).network(photograph(32))
    assert decibels(made, network(photograph(32))) > 60


def test_layers_without_a_kernel_say_why():
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"), nn.ConvTranspose2d(4, 3, 2, 2)
    )
    lowered = lower(network, {name: CodeGrid.over(0, 1) for name in "01"})
    assert [layer.why_not for layer in lowered.layers] == [
        "it pads with reflect values, not with zeros",
        "there is no integer kernel for a ConvTranspose2d",
    ]


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_thin_ends_move_in_front_of_the_shuffle(factor):
    """The same picture from a convolution in low resolution, border included."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 4 * factor**2, 3, padding=1),
        nn.PixelShuffle(factor),
        nn.Conv2d(4, 3, 3, padding=1),
    ).requires_grad_(False)
    lowered, x = lower(network).network, torch.rand(1, 3, 6, 5)
    assert torch.allclose(lowered(x), network(x), atol=1e-5)
    assert not any(isinstance(module, nn.PixelShuffle) for module in lowered.modules())
    assert functional.pixel_shuffle.__name__ in lowered.code  # type: ignore[operator]
