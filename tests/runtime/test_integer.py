"""Whole networks on integers: what is calibrated, what stays, and how close they come."""

from functools import cache

import pytest
import torch
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.imaging.samples import load_sample
from quantlib.imaging.tensors import to_tensor
from quantlib.models import SRNetwork, load, load_classifier
from quantlib.models.architectures.edsr import EDSR
from quantlib.models.architectures.pan import PAN
from quantlib.models.architectures.resnet import resnet
from quantlib.models.classifier import Classifier
from quantlib.qat.scheme import quantized_layers
from quantlib.runtime.calibration import calibrated_grids, enlarged_well
from quantlib.runtime.integer import integer_network
from tests.runtime.test_lowering import decibels, photograph


@cache
def smooth_pictures(side: int) -> Tensor:
    crops = [load_sample(key, side * 4).rgb for key in ("cat", "astronaut", "coffee", "rocket")]
    return torch.cat([nn.functional.avg_pool2d(to_tensor(crop), 4) for crop in crops])


@pytest.mark.parametrize("name", ["builtin:edsr-x2", "builtin:edsr-x4"])
def test_networks_without_rlq_get_eight_bits(name):
    network = load(name)
    integers = integer_network(network)
    assert [layer.name for layer in integers.kept] == ["head.0"]
    assert {(one.weight_bits, one.input_bits) for one in integers.layers if one.integer} == {(8, 8)}
    with torch.inference_mode():
        assert decibels(integers(photograph()), network(photograph())) > 45


def test_ends_in_eight_bits():
    network = load("builtin:quantsr-c-x2-w4a4")
    kept, integers = (integer_network(network, ends) for ends in ("fp32", "int8"))
    assert len(kept.kept) == 4
    assert [layer.name for layer in integers.kept] == ["head.0"]
    assert integers.layers[1].input_bits == 4
    with torch.inference_mode():
        expected = network(photograph())
        assert decibels(kept(photograph()), expected) >= 55
        assert decibels(integers(photograph()), expected) >= 47


def test_linear_layers_of_quantsr_t():
    network = load("builtin:quantsr-t-x2-w4a4").at_depth("quarter")
    integers = integer_network(network)
    learned = [f"{name}" for name in quantized_layers(network.network)]
    assert [layer.name for layer in integers.layers if layer.integer] == learned
    with torch.inference_mode():
        expected = network(photograph(48))
        assert decibels(integers(photograph(48)), expected) >= 55
        plain = integer_network(network, kernels=False)
        assert decibels(plain(photograph(48)), expected) >= 55


@pytest.mark.parametrize("name", ["builtin:resnet-digits", "builtin:mobilenetv2-cifar10"])
def test_classifiers(name):
    """Batch norms are folded, depthwise convolutions and the last linear layer are integers."""
    classifier = load_classifier(name)
    pictures = smooth_pictures(classifier.preprocessing.size)
    integers = integer_network(classifier, pictures=[pictures])
    assert len(integers.kept) == 1, "the layer that reads the picture"
    assert not any(isinstance(m, nn.BatchNorm2d) for m in integers.network.modules())
    with torch.inference_mode():
        expected, made = classifier(pictures), integers(pictures)
    assert (made - expected).norm() / expected.norm() < 0.1
    assert torch.equal(made.argmax(1), expected.argmax(1))


def test_resnets_of_torchvision():
    torch.manual_seed(0)
    classifier = Classifier(resnet([1, 1, 1, 1], classes=10, bottleneck=True), "ResNet", 10)
    pictures = smooth_pictures(64)
    integers = integer_network(classifier, pictures=[pictures])
    with torch.inference_mode():
        expected, made = classifier(pictures), integers(pictures)
    assert (made - expected).norm() / expected.norm() < 0.1


def test_pan():
    torch.manual_seed(0)
    network = SRNetwork(PAN(2, features=8, upsampling_features=8, blocks=2), "PAN", 2)
    integers = integer_network(network)
    with torch.inference_mode():
        assert decibels(integers(photograph(48)), network(photograph(48))) > 40


def test_a_picture_that_breaks_a_network_sets_no_range():
    def runs_away(x: Tensor) -> Tensor:
        return x * (1e9 if x.mean() > 0.5 else 1.0)

    network = nn.Sequential(nn.Identity())
    network.forward = runs_away  # type: ignore[method-assign]
    dark, bright = torch.full((1, 3, 4, 4), 0.25), torch.full((1, 3, 4, 4), 0.75)
    assert enlarged_well(network, [dark, bright]) == [dark]
    assert enlarged_well(network, [bright]) == [bright]


def test_ranges_are_those_of_all_pictures():
    network = nn.Sequential(nn.Conv2d(3, 3, 1))
    pictures = [torch.full((1, 3, 2, 2), value) for value in (-0.5, 0.25, 2.0)]
    grid = calibrated_grids(network, ["0"], pictures)["0"]
    assert grid.step == pytest.approx(2.5 / 255)
    assert (grid.qmin, grid.qmax) == (-51, 204)
    with pytest.raises(QuantlibError, match="at least one picture"):
        calibrated_grids(network, ["0"], [])


def test_what_cannot_be_is_said():
    network = SRNetwork(EDSR(2, features=4, blocks=1), "EDSR", 2)
    with pytest.raises(QuantlibError, match="no form 'int4' of the ends"):
        integer_network(network, "int4")
    with pytest.raises(QuantlibError, match="on the CPU only"):
        integer_network(network.to("meta"))
