"""PAN: pixel attention network (Zhao et al., ECCVW 2020, arXiv 2010.01073).

Parameter names are those of the authors' code, which the Hub's `eugenesiow/pan` also uses.
"""

import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu

from quantlib.errors import QuantlibError
from quantlib.models.architecture import Architecture
from quantlib.models.card import SUPER_RESOLUTION
from quantlib.models.checkpoint import Checkpoint
from quantlib.models.sr_network import SRNetwork, require_rgb

_SLOPE = 0.2
GUESS = "is the same for ×2 and ×3 and is taken for ×2; put 3x in its name if it is the other."


def _conv(inputs: int, outputs: int, size: int = 3, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=bias)


class PixelAttention(nn.Module):
    """x · sigmoid(conv1x1(x)): one weight per channel and pixel (figure 2c)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.conv = _conv(features, features, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.conv(x))


class PixelAttentionConvolution(nn.Module):
    """Convolution, pixel attention from the same input, convolution (the lower branch of SC-PA)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.k2 = _conv(features, features, 1)
        self.k3 = _conv(features, features, bias=False)
        self.k4 = _conv(features, features, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.k4(self.k3(x) * torch.sigmoid(self.k2(x)))


class SelfCalibratedBlock(nn.Module):
    """SC-PA: two half-width branches, one with pixel attention, and a shortcut (figure 3)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        half = features // 2
        self.conv1_a = _conv(features, half, 1, bias=False)
        self.conv1_b = _conv(features, half, 1, bias=False)
        self.k1 = nn.Sequential(_conv(half, half, bias=False))
        self.PAConv = PixelAttentionConvolution(half)
        self.conv3 = _conv(2 * half, features, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        upper = self.k1(leaky_relu(self.conv1_a(x), _SLOPE))
        lower = self.PAConv(leaky_relu(self.conv1_b(x), _SLOPE))
        return x + self.conv3(leaky_relu(torch.cat([upper, lower], dim=1), _SLOPE))


class PAN(nn.Module):
    """Super-resolution network of `blocks` SC-PA blocks with `features` channels.

    Takes and returns RGB pictures `float32 (N, 3, H, W)` in [0, 1]; the output is `scale` times
    larger. It adds a correction to the bilinear enlargement, in `upsampling_features` channels
    after one nearest-neighbour stage (×2, ×3) or two (×4).

    >>> PAN(scale=3, features=8, upsampling_features=4, blocks=2)(torch.zeros(1, 3, 5, 7)).shape
    torch.Size([1, 3, 15, 21])
    """

    def __init__(
        self, scale: int, features: int = 40, upsampling_features: int = 24, blocks: int = 16
    ) -> None:
        super().__init__()
        if scale not in (2, 3, 4):
            raise QuantlibError(f"PAN upscales by 2, 3 or 4, not by {scale}.")
        self.scale = scale
        self.conv_first = _conv(3, features)
        self.SCPA_trunk = nn.Sequential(*(SelfCalibratedBlock(features) for _ in range(blocks)))
        self.trunk_conv = _conv(features, features)
        self.upconv1 = _conv(features, upsampling_features)
        self.att1 = PixelAttention(upsampling_features)
        self.HRconv1 = _conv(upsampling_features, upsampling_features)
        if scale == 4:
            self.upconv2 = _conv(upsampling_features, upsampling_features)
            self.att2 = PixelAttention(upsampling_features)
            self.HRconv2 = _conv(upsampling_features, upsampling_features)
        self.conv_last = _conv(upsampling_features, 3)

    @property
    def receptive_radius(self) -> int:
        """Low-resolution pixels to each side that can change an output pixel."""
        upsampling = 1 if self.scale == 3 else 2  # three pixels after ×3 reach one pixel before it
        return 1 + 2 * len(self.SCPA_trunk) + 1 + upsampling

    def forward(self, x: Tensor) -> Tensor:
        shallow = self.conv_first(x)
        deep = shallow + self.trunk_conv(self.SCPA_trunk(shallow))
        if self.scale == 4:
            deep = _enlarge(deep, 2, self.upconv1, self.att1, self.HRconv1)
            deep = _enlarge(deep, 2, self.upconv2, self.att2, self.HRconv2)
        else:
            deep = _enlarge(deep, self.scale, self.upconv1, self.att1, self.HRconv1)
        bilinear = interpolate(x, scale_factor=self.scale, mode="bilinear", align_corners=False)
        return bilinear + self.conv_last(deep)


def _enlarge(
    x: Tensor, factor: int, first: nn.Module, attention: nn.Module, last: nn.Module
) -> Tensor:
    x = first(interpolate(x, scale_factor=factor, mode="nearest"))
    return leaky_relu(last(leaky_relu(attention(x), _SLOPE)), _SLOPE)


def from_state_dict(weights: Mapping[str, Tensor], scale: int | None = None) -> PAN:
    """The network that `weights` belong to: depth and width are read from names and shapes.

    Two upsampling stages mean ×4. One stage is the same for ×2 and ×3, so `scale` decides between
    them (2 where it is not given). Balanced attention (BAM) raises a `QuantlibError`.

    >>> twin = from_state_dict(PAN(3, 8, 4, blocks=5).state_dict(), scale=3)
    >>> twin.scale, twin.conv_first.out_channels, len(twin.SCPA_trunk)
    (3, 8, 5)
    """
    if any(re.match(r"att\d\.(ca|sa)\.", key) for key in weights):
        raise QuantlibError(
            "This PAN uses balanced attention (BAM), which is not supported; use a plain PAN, "
            "such as eugenesiow/pan."
        )
    blocks = len({key.split(".")[1] for key in weights if key.startswith("SCPA_trunk.")})
    features = weights["conv_first.weight"].shape[0]
    upsampling_features = weights["conv_last.weight"].shape[1]
    if any(key.startswith("upconv2.") for key in weights):
        scale = 4
    elif scale not in (2, 3):
        scale = 2
    network = PAN(scale, features, upsampling_features, blocks)
    network.load_state_dict(dict(weights))
    return network


def recognises(weights: Mapping[str, Tensor]) -> bool:
    """Whether the names look like a PAN checkpoint."""
    return "conv_first.weight" in weights and any(k.startswith("SCPA_trunk.") for k in weights)


def scale_in(file: str) -> int | None:
    """The scale that a file name states as `3x` or `x3`.

    >>> scale_in("PANx3_DF2K.pth"), scale_in("pytorch_model_2x.pt"), scale_in("pan.pth")
    (3, 2, None)
    """
    match = re.search(r"(?<![0-9])([234])x(?![0-9a-z])|x([234])(?![0-9])", file.lower())
    return int(match[1] or match[2]) if match else None


def build(checkpoint: Checkpoint) -> SRNetwork:
    weights = checkpoint.weights
    outputs = weights["conv_last.weight"].shape[0]
    require_rgb(weights["conv_first.weight"].shape[1], outputs, checkpoint.name)
    stated = scale_in(checkpoint.name)
    network = from_state_dict(weights, stated)
    is_guess = "upconv2.weight" not in weights and stated not in (2, 3)
    notes = (f"{checkpoint.name} {GUESS}",) if is_guess else ()
    return SRNetwork(
        network,
        "PAN",
        network.scale,
        receptive_radius=network.receptive_radius,
        memory_format=torch.channels_last,
        notes=notes,
    )


ARCHITECTURE = Architecture("PAN", SUPER_RESOLUTION, recognises, build)
