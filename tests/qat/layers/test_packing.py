import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from quantlib.errors import QuantlibError
from quantlib.models import load
from quantlib.models.architectures.edsr import EDSR
from quantlib.qat.depth import DEPTHS
from quantlib.qat.layers.packing import KEY, float_state, packed_state, restore
from quantlib.qat.layers.placement import residual_schemes
from quantlib.qat.scheme import LEARNED, Scheme, quantize_layers, quantized_layers

FEATURES, BLOCKS = 8, 5


def picture() -> Tensor:
    return torch.rand(1, 3, 9, 8, generator=torch.Generator().manual_seed(3))


def super_network(method: str = "rlq", bits: int = 3, ends: str = "fp32") -> EDSR:
    """A trained depth-dynamic network: nothing stands where it started."""
    torch.manual_seed(0)
    network = EDSR(2, FEATURES, BLOCKS, learnable_shortcuts=True)
    network.block_order.copy_(torch.tensor([3, 0, 4, 1, 2]))  # type: ignore[operator]
    scheme = Scheme(method, bits, bits, keep_scale=True)
    quantize_layers(network, residual_schemes(network, scheme, ends=ends))
    optimiser = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(2):
        optimiser.zero_grad()
        network(picture()).sub(0.5).square().mean().backward()
        optimiser.step()
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def written(network: EDSR, folder: Path) -> str:
    tensors, metadata = packed_state(network)
    file = folder / "small.safetensors"
    save_file(tensors, file, metadata)
    return str(file)


def channels_last(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("ends", ["fp32", "8bit"])
@pytest.mark.parametrize("method", LEARNED)
def test_a_file_gives_the_same_network_at_every_depth(method, ends, tmp_path):
    network = super_network(method, ends=ends)
    loaded = load(written(network, tmp_path))
    x = picture()
    outputs = []
    for depth in DEPTHS:
        wanted = network.at_depth(depth)(channels_last(x))
        assert torch.equal(loaded.at_depth(depth)(x), wanted)
        outputs.append(wanted)
    assert not torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[1], outputs[2])
    assert isinstance(loaded.network, EDSR)
    assert torch.equal(loaded.network.shortcuts, network.shortcuts)
    assert not any(p.requires_grad for p in loaded.parameters())
    for layer in quantized_layers(loaded).values():
        assert layer.weight.unique().numel() <= 2**layer.scheme.weight_bits


@pytest.mark.parametrize("bits", [2, 5, 8])
def test_weights_are_stored_in_their_bits(bits):
    network = super_network(bits=bits)
    tensors, metadata = packed_state(network)
    layers = quantized_layers(network)
    packed = {name: tensor for name, tensor in tensors.items() if name.endswith(".weight.packed")}
    assert packed.keys() == {f"{name}.weight.packed" for name in layers}
    for name, tensor in packed.items():
        layer = layers[name.removesuffix(".weight.packed")]
        assert tensor.numel() == layer.weight_sizes().total
        assert tensor.numel() < layer.weight.numel() * bits / 8 + 50
    assert not any("weight_quantizer" in name for name in tensors)
    assert not tensors.keys() & {f"{name}.weight" for name in layers}
    schemes = {name: Scheme(**one) for name, one in json.loads(metadata[KEY]).items()}
    assert schemes == {name: layer.scheme for name, layer in layers.items()}


def test_a_loaded_network_is_packed_to_the_same_file(tmp_path):
    tensors, metadata = packed_state(super_network())
    again, same = packed_state(load(written(super_network(), tmp_path)).network)
    assert metadata == same
    assert tensors.keys() == again.keys()
    assert all(torch.equal(tensors[name], again[name]) for name in tensors)


def test_the_float_state_is_that_of_the_architecture():
    network = super_network()
    plain = EDSR(2, FEATURES, BLOCKS, learnable_shortcuts=True)
    plain.load_state_dict(float_state(packed_state(network)[0]))
    for name, layer in quantized_layers(network).items():
        assert torch.equal(plain.state_dict()[f"{name}.weight"], layer.quantized_weight())


def test_a_state_without_quantizers_stays_as_it_is():
    state = EDSR(2, 4, 1).state_dict() | {"encoder.activation.weight": torch.ones(2)}
    assert float_state(state) == state


LAYER = "body.0.body.0"


def without(name: str) -> Callable[[dict[str, Tensor], dict], None]:
    def damage(tensors: dict[str, Tensor], schemes: dict) -> None:
        del tensors[name]

    return damage


def with_tensor(name: str, tensor: Tensor) -> Callable[[dict[str, Tensor], dict], None]:
    def damage(tensors: dict[str, Tensor], schemes: dict) -> None:
        tensors[name] = tensor

    return damage


def with_scheme(**changes: object) -> Callable[[dict[str, Tensor], dict], None]:
    def damage(tensors: dict[str, Tensor], schemes: dict) -> None:
        schemes[LAYER] |= changes

    return damage


def cut(tensors: dict[str, Tensor], schemes: dict) -> None:
    tensors[f"{LAYER}.weight.packed"] = tensors[f"{LAYER}.weight.packed"][:-3].clone()


def renamed(tensors: dict[str, Tensor], schemes: dict) -> None:
    schemes["body.0.body.9"] = schemes.pop(LAYER)


def at_a_relu(tensors: dict[str, Tensor], schemes: dict) -> None:
    schemes["body.0.body.1"] = schemes[LAYER]


def no_scheme(tensors: dict[str, Tensor], schemes: dict) -> None:
    schemes[LAYER] = 3


DAMAGES = {
    "no packed weights": without(f"{LAYER}.weight.packed"),
    "no step": without(f"{LAYER}.activation.raw_step"),
    "no state": without(f"{LAYER}.activation._extra_state"),
    "cut": cut,
    "floats for bytes": with_tensor(f"{LAYER}.weight.packed", torch.ones(90)),
    "halves for bytes": with_tensor(f"{LAYER}.weight.packed", torch.ones(90).bfloat16()),
    "no packed tensor": with_tensor(f"{LAYER}.weight.packed", torch.ones(90).byte()),
    "shift of another width": with_tensor(f"{LAYER}.activation.shift", torch.zeros(3)),
    "state of another length": with_tensor(f"{LAYER}.activation._extra_state", torch.zeros(5)),
    "step twice": with_tensor(f"{LAYER}.activation.raw_step", torch.ones(2)),
    "left over": with_tensor(f"{LAYER}.activation.gate", torch.ones(2)),
    "unknown method": with_scheme(method="magic"),
    "method of another type": with_scheme(method=["rlq"]),
    "unknown switch": with_scheme(magic=True),
    "bits in words": with_scheme(weight_bits="four"),
    "too many bits": with_scheme(activation_bits=40),
    "bits as a fraction": with_scheme(activation_bits=2.5),
    "softness in words": with_scheme(k="soft"),
    "another method": with_scheme(method="ddtb"),
    "an unknown layer": renamed,
    "a layer of another type": at_a_relu,
    "no scheme": no_scheme,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files(damage, tmp_path):
    tensors, metadata = packed_state(super_network())
    schemes = json.loads(metadata[KEY])
    DAMAGES[damage](tensors, schemes)
    file = tmp_path / "damaged.safetensors"
    save_file(tensors, file, {KEY: json.dumps(schemes)})
    with pytest.raises(QuantlibError) as caught:
        load(str(file))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("metadata", ["", "{", "[]", "3", "null", '"rlq"', "[" * 5000])
def test_damaged_metadata(metadata):
    tensors, _ = packed_state(super_network())
    network = EDSR(2, FEATURES, BLOCKS, learnable_shortcuts=True)
    network.load_state_dict(float_state(tensors))
    with pytest.raises(QuantlibError, match="do not fit together"):
        restore(network, tensors, {KEY: metadata})
