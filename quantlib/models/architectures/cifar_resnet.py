"""ResNet for 32×32 pictures (He et al., CVPR 2016, arXiv 1512.03385, section 4.2).

6n+2 layers: a 3×3 convolution, three stages of n blocks with two convolutions each, a linear layer.
The shortcuts have no parameters (option A): where a stage begins they keep every second pixel and
fill the new channels with zeros. Parameter names are those of akamaster/pytorch_resnet_cifar10.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import pad, relu

from quantlib.errors import QuantlibError
from quantlib.models.architecture import Architecture, Training
from quantlib.models.card import CLASSIFICATION
from quantlib.models.checkpoint import Checkpoint
from quantlib.models.normalised import Classifier
from quantlib.models.preprocessing import Preprocessing


class Block(nn.Module):
    """Two 3×3 convolutions with batch normalisation, and the shortcut of option A."""

    def __init__(self, channels: int, features: int, stride: int) -> None:
        super().__init__()
        self.stride, self.added = stride, features - channels
        self.conv1 = nn.Conv2d(channels, features, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(features)
        self.conv2 = nn.Conv2d(features, features, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(features)

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(relu(self.bn1(self.conv1(x)))))
        before = self.added // 2
        shortcut = x[..., :: self.stride, :: self.stride]
        return relu(y + pad(shortcut, (0, 0, 0, 0, before, self.added - before)))


class CifarResNet(nn.Module):
    """`blocks` blocks in each of three stages with `features` channels, 2 and 4 times as many.

    Takes normalised pictures `float32 (N, 3, 32, 32)` and returns logits `(N, classes)`.

    >>> import torch
    >>> network = CifarResNet(blocks=3)
    >>> network.depth, network.eval()(torch.zeros(2, 3, 32, 32)).shape
    (20, torch.Size([2, 10]))
    """

    size = 32

    def __init__(self, blocks: int = 5, features: int = 16, classes: int = 10) -> None:
        super().__init__()
        self.depth, self.classes = 6 * blocks + 2, classes
        self.conv1 = nn.Conv2d(3, features, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(features)
        self.layer1 = _stage(features, features, blocks, stride=1)
        self.layer2 = _stage(features, 2 * features, blocks, stride=2)
        self.layer3 = _stage(2 * features, 4 * features, blocks, stride=2)
        self.linear = nn.Linear(4 * features, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean((2, 3)))


def _stage(channels: int, features: int, blocks: int, stride: int) -> nn.Sequential:
    first = Block(channels, features, stride)
    return nn.Sequential(first, *(Block(features, features, 1) for _ in range(blocks - 1)))


def from_state_dict(weights: Mapping[str, Tensor]) -> CifarResNet:
    """The network that `weights` belong to: depth, width and classes are read from the shapes.

    Shortcuts with parameters (option B) raise a `QuantlibError`.

    >>> from_state_dict(CifarResNet(blocks=2, features=4, classes=7).state_dict()).depth
    14
    """
    if any(".shortcut." in name for name in weights):
        raise QuantlibError(
            "This ResNet has convolutions in its shortcuts (option B), which is not supported; "
            "use one with option A, such as those of akamaster/pytorch_resnet_cifar10."
        )
    blocks = len({name.split(".")[1] for name in weights if name.startswith("layer1.")})
    features, classes = weights["conv1.weight"].shape[0], weights["linear.weight"].shape[0]
    network = CifarResNet(blocks, features, classes)
    network.load_state_dict(dict(weights))
    return network


def recognises(weights: Mapping[str, Tensor]) -> bool:
    """Whether the names look like a ResNet of three stages with a 3×3 convolution in front."""
    names = {"conv1.weight", "layer1.0.conv1.weight", "layer3.0.conv1.weight", "linear.weight"}
    return (
        names <= weights.keys()
        and "layer4.0.conv1.weight" not in weights
        and weights["conv1.weight"].shape[1:] == (3, 3, 3)
    )


def build(checkpoint: Checkpoint) -> Classifier:
    network = from_state_dict(checkpoint.weights)
    return _classifier(network, Preprocessing())


def fresh(recipe: Any, classes: int, side: int) -> Classifier:
    network = CifarResNet(recipe.blocks, recipe.features, classes)
    return _classifier(network, Preprocessing(side))


def _classifier(network: CifarResNet, preprocessing: Preprocessing) -> Classifier:
    return Classifier(network, f"ResNet-{network.depth}", network.classes, preprocessing)


ARCHITECTURE = Architecture(
    "ResNet",
    CLASSIFICATION,
    recognises,
    build,
    recognised="ResNet-20, -32 and so on for CIFAR with option A",
    training=Training("ResNet", fresh),
)
