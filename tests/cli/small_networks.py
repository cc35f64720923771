"""Tiny networks as files, for verbs that are asked where and how a network runs."""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from quantlib.models.architectures.cifar_resnet import CifarResNet
from quantlib.models.architectures.edsr import EDSR
from quantlib.models.architectures.pan import PAN
from quantlib.models.saving import packed_file
from quantlib.models.sr_network import SRNetwork
from quantlib.qat.layers.placement import residual_schemes
from quantlib.qat.scheme import Scheme, quantize_layers


def write_plain(file: Path, features: int = 8) -> None:
    """An EDSR in FP32 whose output is a picture."""
    torch.manual_seed(0)
    save_file(EDSR(2, features=features, blocks=1).state_dict(), file)


def write_learned(file: Path, bits: int = 4) -> None:
    """An EDSR with RLQ in its two inner convolutions and in the one behind them."""
    torch.manual_seed(0)
    network = EDSR(2, features=8, blocks=2, learnable_shortcuts=True).requires_grad_(False)
    quantize_layers(network, residual_schemes(network, Scheme("rlq", bits, bits)))
    network(torch.rand(1, 3, 32, 32))
    file.write_bytes(packed_file(SRNetwork(network.eval(), "EDSR", 2)))


def write_learned_pan(file: Path) -> None:
    """A PAN ×3, whose scale stands in the name of its file alone, with one layer of RLQ."""
    torch.manual_seed(0)
    network = PAN(3, 8, 4, 1).requires_grad_(False)
    name = [n for n, m in network.named_modules() if isinstance(m, nn.Conv2d)][1]
    quantize_layers(network, {name: Scheme("rlq", 4, 4)})
    network(torch.rand(1, 3, 24, 24))
    file.write_bytes(packed_file(SRNetwork(network.eval(), "PAN", 3)))


def write_classifier(file: Path) -> None:
    torch.manual_seed(0)
    save_file(CifarResNet(1, 4).state_dict(), file)
