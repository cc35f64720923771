"""U-Net (Ronneberger et al., MICCAI 2015, arXiv 1505.04597), with padding and batch normalisation.

Four times halved, each time with twice the channels; upwards by 2×2 transposed convolutions, with
what the same level saw on the way down beside it.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, pad

from quantlib.models.architecture import Architecture, Training
from quantlib.models.card import SEGMENTATION
from quantlib.models.checkpoint import Checkpoint
from quantlib.models.normalised import Segmenter

LEVELS = 4


class UNet(nn.Module):
    """Pictures `float32 (N, 3, H, W)` to one logit per class and pixel `(N, classes, H, W)`.

    Sides that 16 does not divide are extended by their border inside.

    >>> UNet(classes=11, features=4).eval()(torch.zeros(1, 3, 24, 40)).shape
    torch.Size([1, 11, 24, 40])
    """

    def __init__(self, classes: int = 11, features: int = 16) -> None:
        super().__init__()
        self.classes, self.features = classes, features
        widths = [features << level for level in range(LEVELS + 1)]
        steps = zip([3, *widths[:-2]], widths[:-1], strict=True)
        self.down = nn.ModuleList(_convolutions(before, after) for before, after in steps)
        self.bottom = _convolutions(widths[-2], widths[-1])
        upward = [(width, width // 2) for width in reversed(widths[1:])]
        self.widen = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, 2) for a, b in upward)
        self.up = nn.ModuleList(_convolutions(a, b) for a, b in upward)
        self.head = nn.Conv2d(features, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        multiple = 1 << LEVELS
        x = pad(x, (0, -width % multiple, 0, -height % multiple), "replicate")
        seen = []
        for level in self.down:
            x = level(x)
            seen.append(x)
            x = max_pool2d(x, 2)
        x = self.bottom(x)
        for widen, level in zip(self.widen, self.up, strict=True):
            x = level(torch.cat([seen.pop(), widen(x)], 1))
        return self.head(x)[..., :height, :width]


def _convolutions(channels: int, features: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, features, 3, padding=1, bias=False),
        nn.BatchNorm2d(features),
        nn.ReLU(),
        nn.Conv2d(features, features, 3, padding=1, bias=False),
        nn.BatchNorm2d(features),
        nn.ReLU(),
    )


def from_state_dict(weights: Mapping[str, Tensor]) -> UNet:
    """The network that `weights` belong to: width and classes are read from the shapes.

    >>> from_state_dict(UNet(classes=3, features=2).state_dict()).features
    2
    """
    classes, features = weights["head.weight"].shape[:2]
    network = UNet(classes, features)
    network.load_state_dict(dict(weights))
    return network


def recognises(weights: Mapping[str, Tensor]) -> bool:
    """Whether the names are this U-Net's."""
    return {"down.0.0.weight", "bottom.0.weight", "widen.0.weight", "head.weight"} <= weights.keys()


def build(checkpoint: Checkpoint) -> Segmenter:
    return _segmenter(from_state_dict(checkpoint.weights))


def fresh(recipe: Any, classes: int, side: int) -> Segmenter:
    return _segmenter(UNet(classes, recipe.features))


def _segmenter(network: UNet) -> Segmenter:
    return Segmenter(network, "U-Net", network.classes)


ARCHITECTURE = Architecture(
    "U-Net",
    SEGMENTATION,
    recognises,
    build,
    recognised="a U-Net as quantlib trains it",
    training=Training("U-Net", fresh),
)
