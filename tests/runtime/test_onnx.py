"""ONNX files: checked by onnx, run in ONNX Runtime, and held against the network they came from."""

from functools import cache

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from quantlib.errors import QuantlibError
from quantlib.models import SRNetwork, load, load_classifier
from quantlib.models.architectures.edsr import EDSR
from quantlib.models.architectures.pan import PAN
from quantlib.models.classifier import Classifier
from quantlib.qat.scheme import Scheme
from quantlib.runtime.onnx_export import export_onnx
from quantlib.runtime.onnx_file import OnnxFile
from quantlib.runtime.onnx_running import (
    INTEGER_CONVOLUTIONS,
    OnnxNetwork,
    open_onnx,
    optimised_operators,
)
from tests.runtime.test_lowering import decibels, photograph, scaled_channels, small_edsr

LEARNED = "builtin:quantsr-c-x2-w4a4"


@cache
def exported(name: str, form: str | None = None) -> bytes:
    return export_onnx(load(name), form)


def integer_convolutions(content: bytes, folder) -> int:
    operators = optimised_operators(content, folder)
    return sum(operators.count(kind) for kind in INTEGER_CONVOLUTIONS)


@torch.inference_mode()
def in_eight_bits(network: SRNetwork, x: Tensor) -> Tensor:
    return network(x).clamp(0, 1).mul(255).round() / 255


@pytest.mark.parametrize("name", ["builtin:edsr-x2", "builtin:edsr-x4"])
def test_fp32_files_give_what_the_network_gives(name):
    with torch.inference_mode():
        expected = load(name)(photograph(40))
    assert torch.allclose(open_onnx(exported(name, "fp32"))(photograph(40)), expected, atol=1e-5)


@pytest.mark.parametrize(
    "name, layers", [(LEARNED, 36), ("builtin:quantsr-c-x2-w2a2", 36), ("builtin:edsr-x4", 37)]
)
def test_every_convolution_is_one_of_integers_in_the_optimised_graph(name, layers, tmp_path):
    content = exported(name)
    operators = optimised_operators(content, tmp_path)
    assert integer_convolutions(content, tmp_path) == layers
    assert "Conv" not in operators and "FusedConv" not in operators
    assert operators.count("Transpose") <= 4, "channels stay last but around shuffles"


@pytest.mark.parametrize(
    "name, least",
    [
        (LEARNED, 43),
        ("builtin:quantsr-c-x2-w2a2", 42),
        ("builtin:quantsr-c-x4-w8a8", 42),
        ("builtin:edsr-x2", 43),
    ],
)
def test_integer_files_come_close_to_the_network(name, least):
    made = open_onnx(exported(name))(photograph())
    assert decibels(made, in_eight_bits(load(name), photograph())) > least
    codes = made * 255
    assert torch.allclose(codes, codes.round(), atol=1e-3)


def test_any_height_width_and_number_of_pictures():
    network = open_onnx(exported(LEARNED))
    whole = network(photograph(64))
    assert network(torch.rand(1, 3, 37, 21)).shape == (1, 3, 74, 42)
    pair = network(torch.cat([photograph(64), torch.rand(1, 3, 64, 64)]))
    assert torch.equal(pair[:1], whole)


def test_zero_points_and_clips_are_as_onnx_runtime_wants_them():
    model = onnx.load_from_string(exported(LEARNED))
    constants = {i.name: onnx.numpy_helper.to_array(i) for i in model.graph.initializer}
    made_by = {output: node for node in model.graph.node for output in node.output}
    after_relu = signed = 0
    for node in model.graph.node:
        if node.op_type != "Conv":
            continue
        activation, weight = (made_by[name] for name in node.input[:2])
        codes = constants[activation.input[2]]
        assert codes.dtype == np.uint8
        assert not constants[weight.input[2]].any() and constants[weight.input[2]].dtype == np.int8
        clip = made_by[activation.input[0]]
        if clip.op_type == "Clip":
            assert [constants[name].item() for name in clip.input[1:]] == [0, 15]
            after_relu += int(codes == 0)
            signed += int(codes == 8)
    assert (after_relu, signed) == (16, 16)


@pytest.mark.parametrize("name, kind", [(LEARNED, "INT4"), ("builtin:quantsr-c-x2-w2a2", "INT2")])
def test_weights_of_few_bits_are_stored_at_their_size(name, kind):
    model = onnx.load_from_string(exported(name))
    stored = [
        i for i in model.graph.initializer if i.data_type == onnx.TensorProto.DataType.Value(kind)
    ]
    assert len(stored) == 32
    elements = sum(int(np.prod(i.dims)) for i in stored)
    bits = int(kind[-1])
    assert sum(i.ByteSize() for i in stored) < elements * bits / 8 + 64 * len(stored)


def test_a_file_of_four_bits_takes_at_most_thirty_percent():
    assert len(exported(LEARNED)) <= 0.3 * len(exported("builtin:edsr-x2", "fp32"))


def test_the_card_travels_with_the_file():
    network = open_onnx(exported(LEARNED))
    assert (network.scale, network.form, network.receptive_radius) == (2, "rlq", 36)
    assert network.card["name"] == LEARNED
    assert network.card["licence"] == "Apache-2.0"
    assert network.card["integer_layers"] == network.card["layers"] == 36


def small(network: nn.Module, scale: int = 2) -> SRNetwork:
    return SRNetwork(network, "small", scale)


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("form, least", [("fp32", 100), ("int8", 25)])
def test_pan_with_its_attention_and_both_interpolations(scale, form, least):
    torch.manual_seed(0)
    network = small(PAN(scale, features=8, upsampling_features=8, blocks=1), scale)
    made = open_onnx(export_onnx(network, form))(photograph(24))
    expected = network(photograph(24))
    if form == "int8":
        expected = in_eight_bits(network, photograph(24))
    assert decibels(made, expected) > least


def test_scales_of_channels_stand_in_front_of_the_quantizer(tmp_path):
    network = small(scaled_channels(small_edsr(Scheme("rlq", 8, 8, scale_channels=True))))
    content = export_onnx(network)
    made = open_onnx(content)
    assert decibels(made(photograph(32)), in_eight_bits(network, photograph(32))) > 33
    assert made.card["settings"] == {"method": "rlq", "bits": 8}
    layers = sum(isinstance(module, nn.Conv2d) for module in network.modules())
    assert integer_convolutions(content, tmp_path) == layers


@pytest.mark.parametrize("name", ["builtin:resnet-digits", "builtin:mobilenetv2-cifar10"])
def test_classifiers(name, tmp_path):
    classifier = load_classifier(name)
    side = classifier.preprocessing.size
    pictures = torch.rand(4, 3, side, side, generator=torch.Generator().manual_seed(0))
    smooth = functional.avg_pool2d(pictures, 5, 1, 2)
    with torch.inference_mode():
        expected = classifier(smooth)
    exact = open_onnx(export_onnx(classifier, "fp32"))
    assert torch.allclose(exact(smooth), expected, atol=1e-4)
    content = export_onnx(classifier, "int8", [smooth])
    made = open_onnx(content)
    assert (made.scale, made.card["architecture"]) == (0, classifier.architecture)
    error = (made(smooth) - expected).norm() / expected.norm()
    assert error < 0.15
    convolutions = sum(isinstance(module, nn.Conv2d) for module in classifier.modules())
    assert integer_convolutions(content, tmp_path) == convolutions


def test_forms_that_do_not_fit_the_network():
    with pytest.raises(QuantlibError, match="trained with it"):
        export_onnx(small(EDSR(2, features=4, blocks=1)), "rlq")
    with pytest.raises(QuantlibError, match="trained with few bits"):
        export_onnx(load(LEARNED), "fp32")
    with pytest.raises(QuantlibError, match="no ONNX form 'int3'"):
        export_onnx(load(LEARNED), "int3")


class Odd(nn.Module):
    """A network whose second half ONNX has no form for here."""

    def __init__(self, odd: nn.Module) -> None:
        super().__init__()
        self.scale, self.first, self.odd = 2, nn.Conv2d(3, 12, 3, padding=1), odd

    def forward(self, x: Tensor) -> Tensor:
        return functional.pixel_shuffle(self.odd(self.first(x)), 2)


@pytest.mark.parametrize("form", ["fp32", "int8"])
@pytest.mark.parametrize(
    "odd", [nn.Softplus(), nn.ConvTranspose2d(12, 12, 1), nn.InstanceNorm2d(12)]
)
def test_an_operator_that_cannot_be_lowered_is_named(odd, form):
    with pytest.raises(
        QuantlibError, match=rf"The layer odd \(a {type(odd).__name__}\) has no form"
    ):
        export_onnx(small(Odd(odd)), form)


def test_networks_of_windows_are_refused():
    with pytest.raises(QuantlibError, match="windows"):
        export_onnx(load("builtin:quantsr-t-x2-w4a4"))


def test_files_that_are_none_of_ours(tmp_path):
    whole = exported(LEARNED)
    foreign = onnx.load_from_string(whole)
    del foreign.metadata_props[:]
    for content, message in [
        (whole[: len(whole) // 2], "not a complete ONNX file"),
        (b"", "not a complete ONNX file"),
        (b"\x00" * 64, "not a complete ONNX file"),
        (foreign.SerializeToString(), "was not exported by Bitlens"),
    ]:
        (tmp_path / "net.onnx").write_bytes(content)
        with pytest.raises(QuantlibError, match=message):
            OnnxFile(tmp_path / "net.onnx")
    with pytest.raises(QuantlibError, match="There is no file"):
        OnnxFile(tmp_path / "none.onnx")


def test_files_need_their_packages(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(QuantlibError, match="pip install onnxruntime"):
        open_onnx(b"")
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(QuantlibError, match="pip install onnx`"):
        export_onnx(load("builtin:edsr-x2"), "fp32")


def test_untrained_classifiers_are_exported_with_their_normalisation():
    from quantlib.models.architectures.cifar_resnet import CifarResNet

    torch.manual_seed(0)
    classifier = Classifier(CifarResNet(blocks=1, features=4), "ResNet-8", 10)
    x = torch.rand(2, 3, 32, 32)
    made = open_onnx(export_onnx(classifier, "fp32"))
    assert isinstance(made, OnnxNetwork)
    assert torch.allclose(made(x), classifier(x), atol=1e-5)
