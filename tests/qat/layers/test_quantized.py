import copy
import json
from dataclasses import asdict

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from quantlib.errors import QuantlibError
from quantlib.qat.layers.quantized import QuantConv2d, QuantLinear
from quantlib.qat.quantizer import LearnedQuantizer
from quantlib.qat.scheme import LEARNED, Scheme, quantize_layers, quantized_layer, quantized_layers
from quantlib.quantizers.packed import PackedTensor


def convolution() -> tuple[nn.Conv2d, Tensor]:
    torch.manual_seed(1)
    return nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2), torch.randn(1, 4, 7, 6)


def linear() -> tuple[nn.Linear, Tensor]:
    torch.manual_seed(1)
    return nn.Linear(4, 3), torch.randn(1, 5, 4)


LAYERS = {"convolution": convolution, "linear": linear}


def trained(kind: str, scheme: Scheme) -> tuple[QuantConv2d | QuantLinear, Tensor]:
    """A quantized layer after a few steps, so that no parameter stands where it started."""
    plain, x = LAYERS[kind]()
    layer = quantized_layer(plain, scheme)
    optimiser = torch.optim.Adam(layer.parameters(), 0.01)
    for _ in range(3):
        optimiser.zero_grad()
        layer(x).square().sum().backward()
        optimiser.step()
    return layer, x


def parts(layer: QuantConv2d | QuantLinear) -> tuple[LearnedQuantizer, LearnedQuantizer]:
    assert layer.activation is not None
    return layer.activation, layer.weight_quantizer


@pytest.mark.parametrize("method", LEARNED)
def test_a_quantized_convolution_convolves_quantized_tensors(method):
    layer, x = trained("convolution", Scheme(method, 3, 4))
    activation, weight_quantizer = parts(layer)
    wanted = functional.conv2d(
        activation(x), weight_quantizer(layer.weight), layer.bias, stride=2, padding=1, groups=2
    )
    assert torch.equal(layer(x), wanted)
    assert activation(x).unique().numel() <= 2**4
    assert weight_quantizer(layer.weight).unique().numel() <= 2**3


@pytest.mark.parametrize("method", LEARNED)
def test_a_quantized_linear_layer_multiplies_quantized_tensors(method):
    layer, x = trained("linear", Scheme(method, 3, 4))
    activation, weight_quantizer = parts(layer)
    wanted = activation(x) @ weight_quantizer(layer.weight).T + layer.bias
    torch.testing.assert_close(layer(x), wanted)


@pytest.mark.parametrize("method", LEARNED)
def test_everything_learns(method):
    plain, x = LAYERS["convolution"]()
    layer = quantized_layer(plain, Scheme(method, 4, 4))
    layer(x)
    before = copy.deepcopy(layer.state_dict())
    optimiser = torch.optim.Adam(layer.parameters(), 0.01)
    for _ in range(2):  # the gate's first layer waits for its second
        optimiser.zero_grad()
        layer(x).square().sum().backward()
        optimiser.step()
    learned = [name for name, _ in layer.named_parameters()]
    stuck = [name for name in learned if torch.equal(layer.state_dict()[name], before[name])]
    assert not stuck


@pytest.mark.parametrize("bits", range(2, 9))
@pytest.mark.parametrize("method", LEARNED)
def test_packed_weights_give_the_same_outputs(method, bits):
    for kind in LAYERS:
        for keep_scale in (False, True):
            scheme = Scheme(method, bits, bits, keep_scale=keep_scale)
            layer, x = trained(kind, scheme)
            wanted = layer(x)
            payload = layer.encode_weight().to_bytes()
            assert len(payload) == layer.weight_sizes().total
            other = quantized_layer(LAYERS[kind]()[0], scheme)
            assert layer.bias is not None and other.bias is not None
            other.bias.data.copy_(layer.bias)
            assert layer.activation is not None and other.activation is not None
            other.activation.load_state_dict(layer.activation.state_dict())
            other.store_weight(PackedTensor.from_bytes(payload))
            assert torch.equal(other(x), wanted)
            assert torch.equal(other.weight, layer.quantized_weight())
            assert other.encode_weight().to_bytes() == payload
            assert other.weight_sizes() == layer.weight_sizes()


@pytest.mark.parametrize("method", LEARNED)
def test_a_state_dict_holds_everything_that_was_learned(method):
    scheme = Scheme(method, 3, 3)
    layer, x = trained("convolution", scheme)
    state = layer.state_dict()
    twin = quantized_layer(LAYERS["convolution"]()[0], scheme)
    twin.load_state_dict(state)
    assert torch.equal(twin(x), layer(x))
    for one, other in zip(parts(twin), parts(layer), strict=True):
        assert (one.signed, one.initialised) == (other.signed, other.initialised)
    for name, tensor in twin.state_dict().items():
        assert torch.equal(tensor, state[name])


def test_a_state_dict_knows_what_is_not_yet_known():
    layer, x = LAYERS["convolution"]()
    quantized = quantized_layer(layer, Scheme())
    twin = quantized_layer(LAYERS["convolution"]()[0], Scheme())
    twin(x.relu())
    twin.load_state_dict(quantized.state_dict())
    activation, weight_quantizer = parts(twin)
    assert (activation.signed, activation.initialised) == (None, False)
    assert not weight_quantizer.initialised
    twin(x)
    assert activation.signed is True


@pytest.mark.parametrize("method", LEARNED)
def test_packing_a_layer_that_never_ran(method):
    plain, _ = LAYERS["linear"]()
    layer = quantized_layer(plain, Scheme(method, 4, 4))
    sizes, packed = layer.weight_sizes(), layer.encode_weight()
    assert sizes == packed.sizes
    assert torch.equal(packed.decode(), layer.quantized_weight())


def test_an_input_that_is_left_as_it_is():
    layer, x = trained("convolution", Scheme("rlq", 3, 0))
    assert layer.activation is None
    assert layer.quantized_input(x) is x


def test_autocast_reaches_the_convolution():
    layer, x = trained("convolution", Scheme("pams", 4, 4))
    with torch.autocast("cpu", torch.bfloat16):
        made = layer(x)
    assert made.dtype == torch.bfloat16
    torch.testing.assert_close(made.float(), layer(x), rtol=0.05, atol=0.05)


def test_layers_are_replaced_by_name_and_share_their_weights():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Sequential(nn.Linear(4, 2)))
    weight = network[0].weight
    schemes = {"0": Scheme("lsq", 2, 0), "2.0": Scheme("pact", 4, 4)}
    quantize_layers(network, schemes)
    layers = quantized_layers(network)
    assert {name: layer.scheme for name, layer in layers.items()} == schemes
    assert layers["0"].weight is weight
    assert isinstance(layers["0"], QuantConv2d) and isinstance(layers["2.0"], QuantLinear)
    with pytest.raises(QuantlibError, match="type ReLU"):
        quantize_layers(network, {"1": Scheme()})


@pytest.mark.parametrize("method", LEARNED)
def test_a_scheme_survives_json(method):
    scheme = Scheme(method, 2, 0, k=0.5, use_shift=False, gate=False, keep_scale=True)
    assert Scheme(**json.loads(json.dumps(asdict(scheme)))) == scheme


def test_switches_of_a_scheme_reach_its_quantizers():
    plain = Scheme("rlq", 2, 3, k=0.0, use_shift=False, learn_step=False)
    full = Scheme("rlq", 2, 3, k=2.0)
    for scheme, names in ((plain, {"raw_step"}), (full, {"raw_step", "shift"})):
        for quantizer in (scheme.for_input(5), scheme.for_weight()):
            assert quantizer is not None
            assert quantizer.k == scheme.k
            assert all(p.requires_grad == scheme.learn_step for p in quantizer.parameters())
        made = scheme.for_input(5)
        assert made is not None and {name for name, _ in made.named_parameters()} == names
        assert (made.bits, scheme.for_weight().bits) == (3, 2)
    assert Scheme("ddtb", gate=False).for_input(4).gate is None  # type: ignore[union-attr]
    assert Scheme("ddtb").for_input(4).gate is not None  # type: ignore[union-attr]
    for method in ("pact", "dorefa"):
        weights = torch.tensor([-0.01, 0.004, 0.02])
        assert Scheme(method, keep_scale=True).for_weight()(weights).abs().max() < 0.03
        assert Scheme(method).for_weight()(weights).abs().max() == 1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"method": "magic"}, "'magic'"),
        ({"weight_bits": 1}, "weight_bits"),
        ({"weight_bits": 0}, "weight_bits"),
        ({"weight_bits": 9}, "weight_bits"),
        ({"activation_bits": 1}, "activation_bits"),
        ({"activation_bits": -1}, "activation_bits"),
        ({"k": -1.0}, "softness"),
        ({"k": float("nan")}, "softness"),
    ],
)
def test_schemes_that_cannot_be(settings, words):
    with pytest.raises(QuantlibError, match=words):
        Scheme(**settings)


def test_titles():
    titles = [Scheme(method, 2, 4).title for method in LEARNED]
    assert titles == ["RLQ W2A4", "LSQ W2A4", "PACT W2A4", "DoReFa W2A4", "PAMS W2A4", "DDTB W2A4"]
    assert Scheme("ddtb", 8, 0).title == "DDTB W8A32"
