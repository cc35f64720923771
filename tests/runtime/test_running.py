"""The runtimes behind one interface: pictures, bytes, and what has no integers."""

import pytest
import torch
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.models import Classifier, SRNetwork, load
from quantlib.models.architectures.cifar_resnet import CifarResNet
from quantlib.models.architectures.edsr import EDSR
from quantlib.ptq import QuantizedNetwork, Settings, SiteNetwork, quantize
from quantlib.qat.layers.placement import residual_schemes
from quantlib.qat.scheme import Scheme, quantize_layers
from quantlib.runtime.choice import Runtime
from quantlib.runtime.onnx_export import export_onnx
from quantlib.runtime.onnx_file import OnnxFile
from quantlib.runtime.running import RunningNetwork, at_runtime
from tests.runtime.test_lowering import decibels, photograph

LEARNED = "builtin:quantsr-c-x2-w4a4"


def simulated(name: str, settings: Settings, side: int = 32) -> QuantizedNetwork:
    sites = SiteNetwork(load(name), photograph(side), inside="network")
    return quantize(sites, settings)


def eight_bits(x: Tensor) -> Tensor:
    return x.clamp(0, 1).mul(255).round() / 255


def test_integers_give_the_simulated_picture_and_the_same_bytes():
    network = simulated(LEARNED, Settings("rlq", bits=4))
    integers = at_runtime(network, Runtime("integer"))
    assert isinstance(integers, RunningNetwork)
    expected, sizes = network.measure(photograph(48))
    made, counted = integers.measure(photograph(48))
    assert decibels(made, expected) >= 55
    assert counted == sizes


def test_onnx_runtime_runs_the_same_network():
    network = simulated(LEARNED, Settings("rlq", bits=4))
    made, counted = at_runtime(network, Runtime("onnx")).measure(photograph())
    expected, sizes = network.measure(photograph())
    assert decibels(made, eight_bits(expected)) > 43
    assert counted == sizes


@pytest.mark.parametrize("runtime", ["integer", "onnx"])
def test_direct_quantization_with_eight_bits(runtime):
    network = simulated("builtin:edsr-x2", Settings("direct", bits=8))
    made, counted = at_runtime(network, Runtime(runtime)).measure(photograph())
    with torch.inference_mode():
        assert decibels(eight_bits(made), eight_bits(load("builtin:edsr-x2")(photograph()))) > 43
    per_channel = network.measure(photograph())[1]
    assert counted.keys() == per_channel.keys()
    for name, sizes in counted.items():
        assert sizes.codes == per_channel[name].codes
        zero_point = 0 if network.site_network[name].nonnegative else 4
        assert sizes.scales == 4 + zero_point < per_channel[name].scales


def test_torch_is_the_network_itself():
    network = simulated(LEARNED, Settings("rlq", bits=4))
    assert at_runtime(network, Runtime()) is network


HAVE = "direct with 8 bits, rlq with 2 to 8 bits"


@pytest.mark.parametrize(
    "settings, runtime, said",
    [
        (Settings("pot", bits=4), "integer", f"4-bit power-of-two has no integers; choose {HAVE}"),
        (Settings("direct", bits=4), "integer", f"4-bit direct has no integers; choose {HAVE}"),
        (Settings("fp32"), "integer", f"FP32 has no integers; choose {HAVE}"),
        (Settings("direct", bits=4), "onnx", f"4-bit direct has no integers; choose {HAVE}"),
        (Settings("direct", bits=8, clip="mse"), "onnx", "leave --clip out"),
    ],
)
def test_methods_without_integers_are_told_which_have_some(settings, runtime, said):
    with pytest.raises(QuantlibError, match=said):
        at_runtime(simulated("builtin:edsr-x2", settings), Runtime(runtime))


def test_fp32_runs_in_onnx_runtime():
    network = simulated("builtin:edsr-x2", Settings("fp32"))
    made, sizes = at_runtime(network, Runtime("onnx")).measure(photograph(40))
    assert torch.allclose(made, network(photograph(40)), atol=1e-5)
    assert sizes == network.measure(photograph(40))[1]


def test_integers_run_on_the_cpu_only():
    network = simulated(LEARNED, Settings("rlq", bits=4))
    network.site_network.network.to("meta")
    with pytest.raises(QuantlibError, match="on the CPU only"):
        at_runtime(network, Runtime("integer"))


def test_a_network_without_an_integer_layer_says_why():
    torch.manual_seed(0)
    edsr = EDSR(2, features=4, blocks=1).requires_grad_(False)
    quantize_layers(edsr, residual_schemes(edsr, Scheme("pams", 4, 4)))
    network = SRNetwork(edsr, "EDSR", 2)
    network(photograph(32))
    sites = SiteNetwork(network, photograph(32), inside="network")
    with pytest.raises(QuantlibError, match=r"No layer .* \(body.0.body.0: .* no multiples of one"):
        at_runtime(quantize(sites, Settings("rlq", bits=4)), Runtime("integer"))


@pytest.mark.parametrize("name", ["builtin:quantsr-t-x2-w4a4", "builtin:quantsr-c-x4-w2a2"])
def test_bytes_are_those_of_the_simulated_network(name):
    network = load(name).at_depth("quarter")
    sites = SiteNetwork(network, photograph(24), inside="network")
    simulated = quantize(sites, Settings("rlq", bits=4))
    made = RunningNetwork(simulated, simulated.forward)
    for side in (24, 32):
        assert made.measure(photograph(side))[1] == simulated.measure(photograph(side))[1]


def test_bytes_of_a_network_whose_way_depends_on_values():
    class Bright(nn.Sequential):
        def forward(self, input: Tensor) -> Tensor:
            return super().forward(input + 1 if input.mean() > 0.5 else input)

    three = [nn.Conv2d(3, 12, 1), nn.Conv2d(12, 12, 1), nn.Conv2d(12, 12, 1), nn.PixelShuffle(2)]
    network = SRNetwork(nn.Sequential(three[0], Bright(*three[1:])), "bright", 2)
    simulated = quantize(SiteNetwork(network, photograph(8)), Settings("fp32"))
    made = RunningNetwork(simulated, simulated.forward)
    assert made.measure(photograph(24))[1] == simulated.measure(photograph(24))[1]


def test_unknown_choices():
    with pytest.raises(QuantlibError, match="no runtime 'tpu'; choose one of torch, integer, onnx"):
        Runtime("tpu")
    with pytest.raises(QuantlibError, match="no ends 'int4'; choose one of fp32, int8"):
        Runtime("integer", "int4")


def test_a_file_stands_in_the_place_of_a_network(tmp_path):
    file = tmp_path / "net.onnx"
    file.write_bytes(export_onnx(load(LEARNED)))
    network = OnnxFile(file)
    assert (network.compute.scale, network.compute.licence) == (2, "Apache-2.0")
    assert network.settings == Settings("rlq", bits=4)
    assert network.weights.total < 0.3 * network.weights.fp32
    made, sizes = network.measure(photograph(40))
    assert made.shape == (1, 3, 80, 80) and not sizes


def test_a_classifier_enlarges_nothing(tmp_path):
    torch.manual_seed(0)
    file = tmp_path / "net.onnx"
    file.write_bytes(export_onnx(Classifier(CifarResNet(1, 4), "ResNet-8", 10), "fp32"))
    with pytest.raises(QuantlibError, match=r"net.onnx enlarges no pictures"):
        OnnxFile(file)
