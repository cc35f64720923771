"""ResNet of four stages (He et al., CVPR 2016, arXiv 1512.03385), as in torchvision and timm.

With a 3×3 convolution in front it is the usual form for 32×32 pictures: stride 1 and no pooling.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor, nn

from quantlib.models.architecture import Architecture
from quantlib.models.card import CLASSIFICATION
from quantlib.models.checkpoint import Checkpoint
from quantlib.models.normalised import Classifier
from quantlib.models.preprocessing import Preprocessing

if TYPE_CHECKING:
    from torchvision.models.resnet import ResNet


def resnet(
    blocks: list[int], classes: int = 1000, bottleneck: bool = False, stem: int = 7
) -> "ResNet":
    """torchvision's ResNet with `blocks` per stage and a stem of 7×7 or 3×3; logits `(N, classes)`.

    >>> import torch
    >>> resnet([1, 1, 1, 1], classes=10, stem=3).eval()(torch.zeros(1, 3, 32, 32)).shape
    torch.Size([1, 10])
    """
    from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

    network = ResNet(Bottleneck if bottleneck else BasicBlock, blocks, classes)
    if stem == 3:
        network.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        network.maxpool = nn.Identity()  # type: ignore[assignment]
    return network


def from_state_dict(weights: Mapping[str, Tensor]) -> "ResNet":
    """The network that `weights` belong to: depth, kind of block, stem and classes are read."""
    names = [name.split(".") for name in weights]
    blocks = [len({n[1] for n in names if n[0] == f"layer{stage}"}) for stage in (1, 2, 3, 4)]
    network = resnet(
        blocks,
        weights["fc.weight"].shape[0],
        "layer1.0.conv3.weight" in weights,
        weights["conv1.weight"].shape[-1],
    )
    network.load_state_dict(dict(weights))
    return network


def recognises(weights: Mapping[str, Tensor]) -> bool:
    """Whether the names look like torchvision's ResNet."""
    return {"conv1.weight", "layer4.0.conv1.weight", "fc.weight"} <= weights.keys()


def build(checkpoint: Checkpoint) -> Classifier:
    weights = checkpoint.weights
    network = from_state_dict(weights)
    convolutions = [n for n in weights if n.startswith("layer") and ".conv" in n]
    is_small = weights["conv1.weight"].shape[-1] == 3
    usual = Preprocessing() if is_small else Preprocessing(224, crop=0.875)
    architecture = f"ResNet-{len(convolutions) + 2}"
    return Classifier(network, architecture, network.fc.out_features, usual)


ARCHITECTURE = Architecture(
    "ResNet of torchvision",
    CLASSIFICATION,
    recognises,
    build,
    recognised="ResNet as in torchvision",
)
