"""MobileNetV2 (Sandler et al., CVPR 2018, arXiv 1801.04381) for 32×32 pictures.

torchvision's network with stride 1 in its stem and in its first stage of two blocks, so that 4×4
positions are left at the end, as in the models of chenyaofo/pytorch-cifar-models. Strides cannot be
read from weights: networks of 1000 classes get ImageNet's, all others those for 32×32.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor

from quantlib.models.architecture import Architecture, Training
from quantlib.models.card import CLASSIFICATION
from quantlib.models.checkpoint import Checkpoint
from quantlib.models.normalised import Classifier
from quantlib.models.preprocessing import Preprocessing

if TYPE_CHECKING:
    from torchvision.models.mobilenetv2 import MobileNetV2

# Expansion, channels, blocks and stride of every stage.
CIFAR_STAGES = [
    [1, 16, 1, 1],
    [6, 24, 2, 1],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
]
IMAGENET_CLASSES = 1000

_LAST_BLOCK = "features.17.conv.2.weight"


def mobilenet(classes: int = 10, width: float = 1.0) -> "MobileNetV2":
    """MobileNetV2 with `width` times the paper's channels; logits `(N, classes)`.

    >>> import torch
    >>> network = mobilenet(classes=10, width=0.1).eval()
    >>> network.features(torch.zeros(1, 3, 32, 32)).shape[2:]
    torch.Size([4, 4])
    """
    from torchvision.models.mobilenetv2 import MobileNetV2

    if classes == IMAGENET_CLASSES:
        return MobileNetV2(classes, width)
    network = MobileNetV2(classes, width, CIFAR_STAGES)
    network.features[0][0].stride = (1, 1)  # type: ignore[index, assignment]
    return network


def from_state_dict(weights: Mapping[str, Tensor]) -> "MobileNetV2":
    """The network that `weights` belong to: width and classes are read from the shapes.

    >>> twin = from_state_dict(mobilenet(classes=7, width=0.2).state_dict())
    >>> twin.classifier[1].out_features, twin.features[0][0].out_channels
    (7, 8)
    """
    width = weights[_LAST_BLOCK].shape[0] / CIFAR_STAGES[-1][1]
    network = mobilenet(weights["classifier.1.weight"].shape[0], width)
    network.load_state_dict(dict(weights))
    return network


def recognises(weights: Mapping[str, Tensor]) -> bool:
    """Whether the names look like torchvision's MobileNetV2."""
    return {_LAST_BLOCK, "features.1.conv.0.0.weight", "classifier.1.weight"} <= weights.keys()


def build(checkpoint: Checkpoint) -> Classifier:
    classes = checkpoint.weights["classifier.1.weight"].shape[0]
    is_imagenet = classes == IMAGENET_CLASSES
    usual = Preprocessing(224, crop=0.875) if is_imagenet else Preprocessing()
    return Classifier(from_state_dict(checkpoint.weights), "MobileNetV2", classes, usual)


def fresh(recipe: Any, classes: int, side: int) -> Classifier:
    network = mobilenet(classes, recipe.width)
    return Classifier(network, "MobileNetV2", classes, Preprocessing(side))


ARCHITECTURE = Architecture(
    "MobileNetV2",
    CLASSIFICATION,
    recognises,
    build,
    training=Training("MobileNetV2", fresh),
)
