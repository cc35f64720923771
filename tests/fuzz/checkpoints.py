"""Small checkpoints of every family and every form that are read, to be damaged."""

import io
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import torch
from safetensors.torch import save as save_safetensors
from spandrel.architectures.Compact import Compact
from spandrel.architectures.SPAN import SPAN
from torch import Tensor, nn

from quantlib.models.architectures import swinir
from quantlib.models.architectures.cifar_resnet import CifarResNet
from quantlib.models.architectures.edsr import EDSR, ShiftedEDSR
from quantlib.models.architectures.mobilenetv2 import mobilenet
from quantlib.models.architectures.pan import PAN
from quantlib.models.architectures.resnet import resnet
from quantlib.models.architectures.unet import UNet
from quantlib.qat.fused import uncompiled
from quantlib.qat.layers.packing import packed_state
from quantlib.qat.layers.placement import residual_schemes, swin_schemes
from quantlib.qat.scheme import Scheme, quantize_layers
from quantlib.tasks.task import CLASSIFICATION, SEGMENTATION, SUPER_RESOLUTION
from tests.models.architectures.test_quantsr import released
from tests.models.architectures.test_swin2sr import oracle

Weights = Mapping[str, Tensor]


class State(NamedTuple):
    """The weights of a network for `task`; `metadata` are those of its safetensors file."""

    task: str
    weights: Weights
    metadata: Mapping[str, str] = {}


class File(NamedTuple):
    """A checkpoint file as it is dropped on the page of `task`; `suffix` tells its format."""

    task: str
    suffix: str
    content: bytes


def states() -> list[State]:
    """One of every family, with and without quantized layers."""
    torch.manual_seed(0)
    return [State(SUPER_RESOLUTION.name, *one) for one in _super_resolution()] + [
        State(CLASSIFICATION.name, CifarResNet(1, 4).state_dict()),
        State(CLASSIFICATION.name, mobilenet(10, 0.1).state_dict()),
        State(CLASSIFICATION.name, resnet([1, 1, 1, 1], 10, stem=3).half().state_dict()),
        State(SEGMENTATION.name, UNet(3, 2).state_dict()),
    ]


def files(state: State) -> Iterator[File]:
    """Every format, and what training frameworks put around the weights."""
    weights = dict(state.weights)
    yield safetensors(state)
    if state.metadata:  # only a safetensors file holds them
        return
    yield pickled(state.task, weights)
    yield pickled(state.task, weights, legacy=True)
    prefixed = {f"module.net_g.{name}": value for name, value in weights.items()}
    optimizer = {"state": {0: {"step": 3, "exp_avg": torch.ones(4)}}, "param_groups": [{"lr": 0.1}]}
    yield pickled(state.task, {"state_dict": prefixed, "optimizer": optimizer, "epoch": 7})
    yield pickled(state.task, {"params": weights, "params_ema": weights}, legacy=True)


def safetensors(state: State) -> File:
    own = {name: value.contiguous().clone() for name, value in state.weights.items()}
    return File(state.task, ".safetensors", save_safetensors(own, dict(state.metadata)))


def pickled(task: str, content: Any, legacy: bool = False) -> File:
    file = io.BytesIO()
    torch.save(content, file, _use_new_zipfile_serialization=not legacy)
    return File(task, ".pth", file.getvalue())


def _super_resolution() -> Iterator[tuple[Weights, Mapping[str, str]]]:
    for network in (
        EDSR(2, 4, 1),
        EDSR(4, 4, 4, learnable_shortcuts=True),
        _shifted(),
        PAN(2, 8, 4, 1),
        PAN(4, 8, 4, 1),
        _swinir(),
        oracle("pixelshuffledirect", 2),
        Compact(num_feat=8, num_conv=2, upscale=2),
        SPAN(num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=2),
    ):
        yield network.state_dict(), {}
    yield released(2, 4, 2, 4), {}
    edsr, transformer = EDSR(2, 4, 1), _swinir()
    yield _quantized(edsr, residual_schemes(edsr, Scheme("rlq")))
    outlier = Scheme("rlq", scale_channels=True)
    yield _quantized(transformer, swin_schemes(transformer, outlier, products=True))


def _swinir() -> nn.Module:
    return swinir.light(2, features=12, groups=1, layers=2, heads=2)


def _shifted() -> ShiftedEDSR:
    network = ShiftedEDSR(255.0, 2, 4, 1)
    mean = 255 * torch.tensor([0.4488, 0.4371, 0.4040])
    network.sub_mean.bias, network.add_mean.bias = -mean, mean
    return network


def _quantized(network: nn.Module, schemes: dict[str, Scheme]) -> tuple[Weights, Mapping[str, str]]:
    quantize_layers(network, schemes)
    with uncompiled():
        network.train()(torch.rand(1, 3, 16, 16))  # the quantizers take their first steps from it
    return packed_state(network.eval())
