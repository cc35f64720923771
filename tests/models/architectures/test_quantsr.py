"""Released QuantSR-C checkpoints against the published formulas, written down once more."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from quantlib.errors import QuantlibError
from quantlib.imaging.tiling import tiled
from quantlib.models import load
from quantlib.models.architectures import quantsr
from quantlib.qat.layers.packing import KEY, packed_state
from quantlib.qat.rlq import RLQ
from quantlib.qat.scheme import quantized_layers

PUBLISHED = "31,30,29,8,27,13,28,15,7,10,18,17,19,20,22,6,11,16,12,23,24,25,21,14,9,26,5,4,3,2,1,0"
SIZES = [(2, 8, 4, 4), (3, 8, 3, 2), (4, 4, 9, 4), (4, 8, 1, 8)]


def released(scale: int, features: int, blocks: int, bits: int, seed: int = 0) -> dict[str, Tensor]:
    """A checkpoint as the released code saves it, with random values that keep every layer busy."""
    random = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=random)

    def convolution(name: str, inputs: int, outputs: int, gain: float = 1.0) -> None:
        fan_in = 9 * inputs
        weights[f"{name}.weight"] = normal(outputs, inputs, 3, 3) * gain / fan_in**0.5
        weights[f"{name}.bias"] = normal(outputs)

    weights: dict[str, Tensor] = {}
    convolution("conv_first", 3, features)
    signs = [1.0, 0.0]
    for i in range(blocks):
        weights[f"body.{i}.learnable_shortcut"] = 1 + 0.2 * normal(1)
        for j, name in enumerate((f"body.{i}.conv1", f"body.{i}.conv2")):
            convolution(name, features, features)
            spread = weights[f"{name}.weight"].abs().mean()
            signed = signs[j] if i % 3 else 1.0 - signs[j]
            levels = 2 ** (bits - signed) - 1
            weights[f"{name}.alpha"] = (2 * spread / (2 ** (bits - 1) - 1) ** 0.5).reshape(1)
            weights[f"{name}.init_state"] = torch.ones(1)
            weights[f"{name}.channel_threshold"] = 10 * normal(1, features, 1, 1)
            weights[f"{name}.ActOurs.alpha"] = torch.tensor([150 / levels]) * (1 + i / 9)
            weights[f"{name}.ActOurs.init_state"] = torch.ones(1)
            weights[f"{name}.ActOurs.signed"] = torch.tensor([signed])
    convolution("conv_after_body", features, features)
    for stage, factor in enumerate({2: [2], 3: [3], 4: [2, 2]}[scale]):
        convolution(f"upsample.{2 * stage}", features, factor**2 * features)
    convolution("conv_last", features, 3)
    return weights


def fake_quantized(v: Tensor, alpha: Tensor, bits: int, signed: bool) -> Tensor:
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return alpha * torch.round(torch.clamp(v / alpha, low, high))


def reference(weights: dict[str, Tensor], x: Tensor, bits: int, skipped: set[int]) -> Tensor:
    """The released forward pass, from papers' formulas, on the released names alone."""

    def plain(name: str, v: Tensor) -> Tensor:
        return F.conv2d(v, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=1)

    def quantized(name: str, v: Tensor) -> Tensor:
        v = v + weights[f"{name}.channel_threshold"]
        signed = bool(weights[f"{name}.ActOurs.signed"])
        v = fake_quantized(v, weights[f"{name}.ActOurs.alpha"], bits, signed)
        w = fake_quantized(weights[f"{name}.weight"], weights[f"{name}.alpha"], bits, True)
        return F.conv2d(v, w, weights[f"{name}.bias"], padding=1)

    mean = torch.tensor([0.4488, 0.4371, 0.4040]).view(1, 3, 1, 1)
    first = plain("conv_first", 255 * (x - mean))
    y = first
    blocks = len({name.split(".")[1] for name in weights if name.startswith("body.")})
    for i in range(blocks):
        kept = y * weights[f"body.{i}.learnable_shortcut"]
        if i not in skipped:
            kept = kept + quantized(f"body.{i}.conv2", F.relu(quantized(f"body.{i}.conv1", y)))
        y = kept
    y = plain("conv_after_body", y) + first
    two_stages = "upsample.2.weight" in weights
    factor = 2 if two_stages else round((len(weights["upsample.0.weight"]) / y.shape[1]) ** 0.5)
    y = F.pixel_shuffle(plain("upsample.0", y), factor)
    if two_stages:
        y = F.pixel_shuffle(plain("upsample.2", y), 2)
    return plain("conv_last", y) / 255 + mean


def skip_lists(order: list[int]) -> dict[str, set[int]]:
    """Versions 0, 1 and 2 of the released test script."""
    half = {block for place, block in enumerate(order) if place > len(order) // 2}
    quarter = {block for place, block in enumerate(order) if place > len(order) // 4}
    return {"full": set(), "half": half, "quarter": quarter}


def pictures(height: int = 11, width: int = 13) -> Tensor:
    return torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(5))


def assert_close(ours: Tensor, theirs: Tensor) -> None:
    """Within 1e-4 of a level of 0 to 255."""
    assert theirs.std() > 0.1
    assert 255 * (ours - theirs).abs().max() < 1e-4


def saved(weights: dict[str, Tensor], path: Path, wrapped: bool = True) -> str:
    torch.save({"params": weights} if wrapped else weights, path)
    return str(path)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("wrapped", [True, False], ids=["params", "bare"])
@pytest.mark.parametrize("chosen", [True, False], ids=["chosen order", "by shortcuts"])
def test_outputs_of_all_depths(
    tmp_path: Path, size: tuple[int, int, int, int], wrapped: bool, chosen: bool
) -> None:
    scale, _, blocks, bits = size
    weights = released(*size)
    file = saved(weights, tmp_path / f"net_x{scale}_{bits}bit.pth", wrapped)
    shortcuts = [float(weights[f"body.{i}.learnable_shortcut"]) for i in range(blocks)]
    order = [int(i) for i in np.argsort(shortcuts)]
    if chosen:
        order = order[::-1]
        network = quantsr.from_state_dict(weights, order, (bits, bits)).eval()
    else:
        network = load(file).network
    assert isinstance(network, quantsr.QuantSR)
    assert network.scale == scale
    x = pictures()
    skipped = skip_lists(order)
    with torch.inference_mode():
        for depth in ("full", "half", "quarter"):
            theirs = reference(weights, x, bits, skipped[depth])
            assert_close(network.at_depth(depth)(x), theirs)
            assert set(network.kept_blocks(depth)) == set(range(blocks)) - skipped[depth]


def test_the_published_order_is_for_32_blocks_x4_at_4_bits(tmp_path: Path) -> None:
    published = [int(block) for block in PUBLISHED.split(",")]
    weights = released(4, 4, 32, 4)
    network = load(saved(weights, tmp_path / "QuantSR_C_x4_4bit.pth")).network
    assert isinstance(network, quantsr.QuantSR)
    assert network.block_order.tolist() == published
    assert len(network.kept_blocks("half")) == 17
    assert len(network.kept_blocks("quarter")) == 9
    skipped = skip_lists(published)["half"]
    assert skipped >= set(range(6)), "the first six blocks are skipped"
    x = pictures()
    with torch.inference_mode():
        assert_close(network.at_depth("half")(x), reference(weights, x, 4, skipped))
    by_shortcuts = network.shortcuts.argsort().tolist()
    for others in (
        quantsr.from_state_dict(released(2, 4, 32, 4)),
        quantsr.from_state_dict(weights, bits=(2, 2)),
    ):
        assert others.block_order.tolist() == by_shortcuts


def test_layers_hold_what_the_checkpoint_says() -> None:
    weights = released(2, 8, 3, 4)
    network = quantsr.from_state_dict(weights, bits=(4, 3))
    layers = quantized_layers(network)
    assert list(layers) == [f"body.{i}.body.{j}" for i in range(3) for j in (0, 2)]
    for name, layer in layers.items():
        theirs = name.replace(".body.0", ".conv1").replace(".body.2", ".conv2")
        activation, weight = layer.activation, layer.weight_quantizer
        assert isinstance(activation, RLQ)
        assert isinstance(weight, RLQ)
        assert (weight.bits, activation.bits) == (4, 3)
        assert activation.signed == bool(weights[f"{theirs}.ActOurs.signed"])
        assert torch.equal(activation.step, weights[f"{theirs}.ActOurs.alpha"][0])
        assert torch.equal(weight.step, weights[f"{theirs}.alpha"][0])
    assert {layer.activation.signed for layer in layers.values() if layer.activation} == {
        True,
        False,
    }


def test_what_the_forward_pass_does_not_use_changes_nothing() -> None:
    weights = released(2, 8, 2, 4)
    expected = quantsr.from_state_dict(weights).eval()(pictures())
    for name in [name for name in weights if name.endswith("init_state")]:
        weights[name] = torch.zeros(1)
    assert torch.equal(quantsr.from_state_dict(weights).eval()(pictures()), expected)
    weights = {name: w for name, w in weights.items() if not name.endswith("init_state")}
    assert torch.equal(quantsr.from_state_dict(weights).eval()(pictures()), expected)


def test_a_prefix_before_every_name_is_taken_off(tmp_path: Path) -> None:
    plain = released(2, 4, 2, 4)
    prefixed = {f"module.net_g.{name}": value for name, value in plain.items()}
    network = load(saved(prefixed, tmp_path / "net.pth"))
    expected = quantsr.from_state_dict(plain).eval()(pictures())
    assert network.architecture == "QuantSR-C"
    assert torch.equal(
        network.network.to(memory_format=torch.contiguous_format)(pictures()), expected
    )


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_loaded_checkpoint_is_a_network_like_others(tmp_path: Path, scale: int) -> None:
    weights = released(scale, 8, 2, 4)
    file = saved(weights, tmp_path / "net.pth")
    network = load(file)
    assert (network.architecture, network.scale) == ("QuantSR-C", scale)
    assert network.memory_format == torch.channels_last
    assert not network.training
    assert not any(p.requires_grad for p in network.parameters())
    before = {name: value.clone() for name, value in network.state_dict().items()}
    x = pictures(33, 41)
    with torch.inference_mode():
        expected = reference(weights, x, 4, set())
        assert_close(network(x), expected)
        assert network.receptive_radius is not None
        pieces = tiled(network, x, scale, network.receptive_radius, tile=9)
        assert_close(pieces, expected)
        narrower = tiled(network, x, scale, network.receptive_radius // 2, tile=9)
        assert 255 * (narrower - expected).abs().max() > 1e-3
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("blocks", [1, 3])
def test_receptive_radius_is_where_the_gradient_ends(scale: int, blocks: int) -> None:
    weights = {k: v.double() for k, v in released(scale, 8, blocks, 8).items()}
    network = quantsr.from_state_dict(weights, bits=(8, 8)).double()
    x = torch.rand(1, 3, 1, 41, dtype=torch.float64, requires_grad=True)
    reached = set()
    for phase in range(scale):
        (gradient,) = torch.autograd.grad(network(x)[0, :, 0, 20 * scale + phase].sum(), x)
        columns = gradient[0].abs().sum((0, 1)).nonzero().flatten() - 20
        reached |= set(columns.abs().tolist())
    assert max(reached) == network.receptive_radius


def test_a_double_precision_checkpoint_computes_in_single_precision(tmp_path: Path) -> None:
    weights = released(2, 8, 2, 4)
    double = {name: value.double() for name, value in weights.items()}
    network = load(saved(double, tmp_path / "net.pth"))
    floating = [v for v in network.state_dict().values() if v.is_floating_point()]
    assert {value.dtype for value in floating} == {torch.float32}
    assert network(pictures()).dtype == torch.float32
    assert_close(network(pictures()), reference(weights, pictures(), 4, set()))


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_export_and_load_give_the_same_outputs(tmp_path: Path, bits: int) -> None:
    network = quantsr.from_state_dict(released(2, 8, 8, bits), range(8), (bits, bits)).eval()
    tensors, metadata = packed_state(network)
    assert len(json.loads(metadata[KEY])) == 16
    file = tmp_path / "exported.safetensors"
    save_file(tensors, file, metadata)
    again = load(str(file))
    assert (again.architecture, again.scale) == ("QuantSR-C", 2)
    twin = again.network
    assert isinstance(twin, quantsr.QuantSR)
    with torch.inference_mode():
        for depth, kept in (("full", 8), ("half", 5), ("quarter", 3)):
            assert twin.kept_blocks(depth) == list(range(kept))
            expected = network.at_depth(depth)(pictures())
            assert_close(twin.at_depth(depth)(pictures()), expected)
    assert packed_state(twin)[1] == metadata
    for name, tensor in packed_state(twin)[0].items():
        assert torch.equal(tensor, tensors[name]), name


@pytest.mark.parametrize(
    ("file", "bits"),
    [
        ("QuantSR_C_x4_4bit.pth", (4, 4)),
        ("QuantSR_C_2bit_x4.pth", (2, 2)),
        ("quantsr-8-bits.pth", (8, 8)),
        ("QuantSR-x2-W2A3.pth", (2, 3)),
        ("net_g_300000.pth", None),
        ("new2a4.pth", None),
    ],
)
def test_bits_are_in_the_name(file: str, bits: tuple[int, int] | None) -> None:
    assert quantsr.bits_in(file) == bits


@pytest.mark.parametrize(
    "lost",
    [
        "conv_first.weight",
        "body.1.conv1.alpha",
        "body.0.conv2.ActOurs.signed",
        "body.0.conv2.channel_threshold",
        "body.1.learnable_shortcut",
        "conv_after_body.bias",
        "upsample.0.weight",
        "conv_last.bias",
    ],
)
def test_missing_weights_are_named_as_the_checkpoint_names_them(tmp_path: Path, lost: str) -> None:
    weights = released(2, 4, 2, 4)
    del weights[lost]
    with pytest.raises(QuantlibError, match=f"^net.pth lacks {lost}; choose"):
        load(saved(weights, tmp_path / "net.pth"))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"body.1.conv2.alpha": torch.tensor([-0.2])}, r"body\.1\.conv2\.alpha is -0\.2, which"),
        ({"body.0.conv1.ActOurs.alpha": torch.zeros(1)}, r"ActOurs\.alpha is 0, which"),
        ({"body.0.conv1.alpha": torch.ones(4)}, "conv1.alpha has 4 steps"),
        ({"body.0.conv1.weight": torch.ones(4, 4, 5, 5)}, "do not fit together"),
        ({"body.0.conv1.channel_threshold": torch.ones(1, 3, 1, 1)}, "do not fit together"),
        ({"upsample.4.weight": torch.ones(16, 4, 3, 3)}, r"has no upsample\.4\.weight"),
        ({"body.0.conv3.weight": torch.ones(4, 4, 3, 3)}, r"has no body\.0\.conv3\.weight"),
        ({"body.5.conv1.alpha": torch.ones(1)}, r"lacks body\.2\.conv1\.weight"),
    ],
)
def test_what_does_not_belong_is_refused_in_a_sentence(
    tmp_path: Path, wrong: dict[str, Tensor], sentence: str
) -> None:
    with pytest.raises(QuantlibError, match=sentence) as caught:
        load(saved(released(2, 4, 2, 4) | wrong, tmp_path / "net.pth"))
    assert "\n" not in str(caught.value)


def test_bits_that_no_learned_quantizer_has(tmp_path: Path) -> None:
    with pytest.raises(QuantlibError, match="2 to 8"):
        load(saved(released(2, 4, 1, 4), tmp_path / "net_16bit.pth"))


@pytest.mark.parametrize("order", [[0], [0, 0], [1, 2], [0, 1, 2]])
def test_an_order_names_every_block_once(order: list[int]) -> None:
    with pytest.raises(QuantlibError, match="each of 0 to 1 once"):
        quantsr.from_state_dict(released(2, 4, 2, 4), order)


def test_unknown_depths_are_refused() -> None:
    with pytest.raises(QuantlibError, match="no depth 'third'"):
        quantsr.QuantSR(2, 4, 2).at_depth("third")
