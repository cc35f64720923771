"""A network that loads is looked at: what it makes of a sample, and in which range it computes."""

import io
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from spandrel.architectures.HAT import HAT
from torch import Tensor, nn
from torch.nn import functional as F

from quantlib.errors import QuantlibError
from quantlib.evaluation.quality import psnr_y
from quantlib.imaging.samples import load_sample
from quantlib.imaging.tensors import to_tensor, to_uint8
from quantlib.models import load
from quantlib.models.architectures.cifar_resnet import CifarResNet
from quantlib.models.architectures.edsr import EDSR
from quantlib.models.architectures.mean_shift import peak_of
from quantlib.models.architectures.unet import UNet
from quantlib.models.catalogue import bundled
from quantlib.models.checking import check, likeness
from quantlib.models.classifier import read_classifier
from quantlib.models.loading import read_network
from quantlib.models.segmenter import read_segmenter
from quantlib.tasks.super_resolution import reduced

MEAN = torch.tensor([0.4488, 0.4371, 0.4040])


def bytes_of(weights: object) -> bytes:
    file = io.BytesIO()
    torch.save(weights, file)
    return file.getvalue()


def trained() -> dict[str, Tensor]:
    return {
        name: value.clone() for name, value in load("builtin:edsr-x2").network.state_dict().items()
    }


def shifts(peak: float) -> dict[str, Tensor]:
    eye = torch.eye(3).view(3, 3, 1, 1)
    return {
        "sub_mean.weight": eye,
        "sub_mean.bias": -peak * MEAN,
        "add_mean.weight": eye.clone(),
        "add_mean.bias": peak * MEAN,
    }


def on_255(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same network, so that it computes on 0 to 255 without the mean.

    A bias b on 0 to 1 is 255 b there. What the head sees of the mean is added to its bias, and what
    the mean is in the output is taken off that of the last layer.
    """
    moved = {k: v * 255 if k.endswith("bias") else v.clone() for k, v in weights.items()}
    seen = (weights["head.0.weight"].sum((2, 3)) * MEAN).sum(1)
    moved["head.0.bias"] += 255 * seen
    moved["tail.1.bias"] -= 255 * MEAN
    return moved


def psnr_of(network: nn.Module) -> float:
    low, truth = reduced(load_sample("cat").rgb, 2)
    with torch.inference_mode():
        return psnr_y(to_uint8(network(to_tensor(low))), truth, 2)


def test_an_edsr_as_its_authors_compute_it() -> None:
    weights = trained()
    network = read_network(bytes_of({**on_255(weights), **shifts(255)}), "edsr.pt")
    (note,) = network.notes
    assert note == "edsr.pt computes from 0 to 255 around a mean, as its sub_mean and add_mean say."
    plain = psnr_of(load("builtin:edsr-x2"))
    assert psnr_of(network) == pytest.approx(plain, abs=0.3), "only the border sees another zero"
    inside = (..., slice(40, -40), slice(40, -40))
    x = to_tensor(load_sample("coffee", 96).rgb)
    torch.testing.assert_close(
        network(x)[inside], load("builtin:edsr-x2")(x)[inside], atol=1e-3, rtol=0
    )


def test_the_authors_forward_pass() -> None:
    """MeanShift of the authors' code: a 1×1 convolution on 255·x."""
    weights = {**on_255(trained()), **shifts(255)}
    network = read_network(bytes_of(weights), "edsr.pt")
    bare = EDSR(2, 32, 16).eval()
    bare.load_state_dict({k: v for k, v in weights.items() if "_mean" not in k})
    x = torch.rand(1, 3, 9, 8)
    with torch.inference_mode():
        seen = F.conv2d(255 * x, weights["sub_mean.weight"], weights["sub_mean.bias"])
        made = F.conv2d(bare(seen), weights["add_mean.weight"], weights["add_mean.bias"]) / 255
        torch.testing.assert_close(network(x), made, atol=1e-5, rtol=0)


def test_shifts_that_the_network_was_trained_without_are_left_out() -> None:
    """As in eugenesiow/edsr-base, whose forward pass never applies what its files carry."""
    network = read_network(bytes_of({**trained(), **shifts(255)}), "edsr.pt")
    assert "enlarges a sample better without" in network.notes[0]
    assert psnr_of(network) == psnr_of(load("builtin:edsr-x2"))


def test_shifts_by_a_mean_of_0_to_1() -> None:
    weights = trained()
    seen = (weights["head.0.weight"].sum((2, 3)) * MEAN).sum(1)
    weights["head.0.bias"] += seen
    weights["tail.1.bias"] -= MEAN
    network = read_network(bytes_of({**weights, **shifts(1)}), "edsr.pt")
    assert "from 0 to 1 around a mean" in network.notes[0]
    assert psnr_of(network) == pytest.approx(psnr_of(load("builtin:edsr-x2")), abs=0.3)


@pytest.mark.parametrize(
    "wrong",
    [
        {"add_mean.bias": torch.zeros(3)},
        {"sub_mean.weight": torch.ones(3, 3, 1, 1)},
        {"sub_mean.bias": torch.zeros(5)},
        {"add_mean.weight": torch.ones(3)},
    ],
)
def test_shifts_that_do_not_cancel_are_no_shifts(wrong: dict[str, Tensor]) -> None:
    assert peak_of(shifts(255)) == 255
    assert peak_of(shifts(1)) == 1
    assert peak_of({**shifts(255), **wrong}) is None


@pytest.mark.parametrize("entry", bundled(), ids=lambda entry: entry.name)
def test_a_bundled_network_needs_no_note(entry) -> None:
    network = load(entry.name)
    assert network.notes == ()
    assert likeness(network, network.scale) > 45


@pytest.mark.shared
@pytest.mark.parametrize("file", ["PANx2_DF2K.pth", "PANx4_DF2K.pth", "team34_craft_x4.pth"])
def test_published_networks_need_no_note(shared_data, file: str) -> None:
    assert load(str(shared_data / "weights" / file)).notes == ()


def test_what_enlarges_otherwise_is_said() -> None:
    plain = load("builtin:edsr-x2")

    class Wrong(nn.Module):
        def __init__(self, of) -> None:
            super().__init__()
            self.of = of

        def forward(self, x: Tensor) -> Tensor:
            return self.of(x)

    assert check(Wrong(plain), 2, "net.pth") == ()
    (note,) = check(Wrong(lambda x: plain(x.flip(1))), 2, "net.pth")
    assert "no likeness" in note and "RGB from 0 to 1" in note
    (note,) = check(Wrong(lambda x: plain(x / 255) * 255), 2, "net.pth")
    assert "another range of values" in note
    with pytest.raises(QuantlibError, match="not finite"):
        check(Wrong(lambda x: plain(x) / 0), 2, "net.pth")
    with pytest.raises(QuantlibError, match="enlarges 17 times"):
        check(plain, 17, "net.pth")


def test_likeness_is_the_psnr_of_what_is_reduced_again() -> None:
    assert likeness(nn.Upsample(scale_factor=2), 2) == pytest.approx(
        _by_hand(nn.Upsample(scale_factor=2)), abs=1e-3
    )


def _by_hand(network: nn.Module) -> float:
    x = to_tensor(load_sample("cat", 32).rgb)
    y = F.interpolate(network(x), (32, 32), mode="bicubic", antialias=True, align_corners=False)
    error = (y.clamp(0, 1) - x)[..., 4:-4, 4:-4].numpy().astype(np.float64)
    return -10 * math.log10((error**2).mean())


def test_random_weights_load_and_it_is_said() -> None:
    torch.manual_seed(0)
    (note,) = read_network(bytes_of(EDSR(2, 4, 1).state_dict()), "net.pth").notes
    assert note.startswith("An enlarged sample, reduced again, is ")


def test_a_network_for_one_channel_says_so() -> None:
    weights = EDSR(2, 4, 1).state_dict()
    weights["head.0.weight"] = torch.ones(4, 1, 3, 3)
    weights["tail.1.weight"], weights["tail.1.bias"] = torch.ones(1, 4, 3, 3), torch.ones(1)
    with pytest.raises(QuantlibError, match=r"net\.pth is made for 1 input and 1 output channels"):
        read_network(bytes_of(weights), "net.pth")


@pytest.mark.parametrize(
    ("read", "network", "variance"),
    [
        (read_classifier, CifarResNet(1, 4), "layer2.0.bn1.running_var"),
        (read_segmenter, UNet(3, 2), "bottom.1.running_var"),
    ],
)
def test_logits_that_are_not_finite(
    read: Callable[[bytes, str], nn.Module], network: nn.Module, variance: str
) -> None:
    weights = network.state_dict()
    assert read(bytes_of(weights), "net.pth")
    with pytest.raises(
        QuantlibError, match=r"What net\.pth says of a sample is not finite; choose"
    ):
        read(bytes_of({**weights, variance: -weights[variance]}), "net.pth")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_network_that_loads_and_cannot_run() -> None:
    """This HAT's windows of 7 pixels cannot be widened by half."""
    network = HAT(embed_dim=60, depths=[2], num_heads=[6], upscale=2, upsampler="pixelshuffle")
    with pytest.raises(RuntimeError, match="is invalid for input of size"):
        network(torch.zeros(1, 3, 14, 14))
    with pytest.raises(QuantlibError, match=r"weights in net\.pth do not fit together; recognised"):
        read_network(bytes_of(network.state_dict()), "net.pth")
