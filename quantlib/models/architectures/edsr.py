"""EDSR, enhanced deep residual super-resolution (Lim et al., CVPRW 2017, arXiv 1707.02921).

Parameter names are those of the authors' code, which the Hub's `eugenesiow/edsr-base` also uses.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Self

import torch
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.models.architecture import Architecture, Placement, Sizes, SRTraining
from quantlib.models.architectures.mean_shift import MeanShift, peak_of
from quantlib.models.card import SUPER_RESOLUTION
from quantlib.models.checking import likeness
from quantlib.models.checkpoint import Checkpoint
from quantlib.models.sr_network import SRNetwork, require_rgb
from quantlib.qat.depth import DepthDynamic
from quantlib.qat.layers.placement import residual_schemes
from quantlib.qat.scheme import Scheme

IN_RANGE = "computes from 0 to {peak:.0f} around a mean, as its sub_mean and add_mean say."
LEFT_OUT = "holds sub_mean and add_mean, but enlarges a sample better without; they are left out."


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def _out_of_autocast(layer: nn.Module, x: Tensor) -> Tensor:
    """Both ends stay out of autocast: bfloat16 has fewer levels than an 8-bit picture."""
    if not any(map(torch.is_autocast_enabled, ("cpu", "cuda"))):
        return layer(x)  # nothing depends on x here, so that the network can be traced
    with torch.autocast(x.device.type, enabled=False):
        return layer(x.float() if x.dtype == torch.bfloat16 else x)


class ResidualBlock(nn.Module):
    """s·x + res_scale · conv(relu(conv(x))), without batch norm (figure 2c).

    The shortcut s is 1, or with `learnable_shortcut` a parameter that starts there (QuantSR).
    """

    def __init__(
        self, features: int, res_scale: float = 1.0, learnable_shortcut: bool = False
    ) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _conv(features, features), nn.ReLU(inplace=True), _conv(features, features)
        )
        self.res_scale = res_scale
        self.shortcut = nn.Parameter(torch.tensor(1.0)) if learnable_shortcut else None

    def forward(self, x: Tensor) -> Tensor:
        kept = x if self.shortcut is None else x * self.shortcut
        return torch.add(kept, self.body(x), alpha=self.res_scale)


def _upsampler(features: int, scale: int) -> nn.Sequential:
    """Sub-pixel convolutions: one stage for ×2 and ×3, two ×2 stages for ×4."""
    stages = {2: [2], 3: [3], 4: [2, 2]}[scale]
    layers: list[nn.Module] = []
    for factor in stages:
        layers += [_conv(features, factor**2 * features), nn.PixelShuffle(factor)]
    return nn.Sequential(*layers)


class EDSR(DepthDynamic):
    """Super-resolution network of `blocks` residual blocks with `features` channels.

    Takes RGB pictures `float32 (N, 3, H, W)` in [0, 1] and returns them `scale` times larger.

    >>> EDSR(scale=2, features=8, blocks=2)(torch.zeros(1, 3, 5, 7)).shape
    torch.Size([1, 3, 10, 14])
    """

    def __init__(
        self,
        scale: int,
        features: int = 64,
        blocks: int = 16,
        res_scale: float = 1.0,
        learnable_shortcuts: bool = False,
    ) -> None:
        super().__init__()
        if scale not in (2, 3, 4):
            raise QuantlibError(f"EDSR upscales by 2, 3 or 4, not by {scale}.")
        self.scale = scale
        self.head = nn.Sequential(_conv(3, features))
        residual_blocks = [
            ResidualBlock(features, res_scale, learnable_shortcuts) for _ in range(blocks)
        ]
        self.body = nn.Sequential(*residual_blocks, _conv(features, features))
        self.tail = nn.Sequential(_upsampler(features, scale), _conv(features, 3))
        if learnable_shortcuts:
            self.register_buffer("block_order", torch.arange(blocks))

    @property
    def residual_blocks(self) -> list[Any]:
        return list(self.body)[:-1]

    def with_residual_blocks(self, blocks: Sequence[nn.Module]) -> Self:
        return self.with_body(*blocks, self.body[-1])

    def with_body(self, *modules: nn.Module) -> Self:
        """This network, weights shared, with the body made of `modules`."""
        return self.with_module("body", nn.Sequential(*modules))

    @property
    def receptive_radius(self) -> int:
        """Low-resolution pixels to each side that can change an output pixel."""
        return 2 + 2 * (len(self.body) - 1) + 2

    def forward(self, x: Tensor) -> Tensor:
        upsampler, last = self.tail
        x = _out_of_autocast(self.head, x)
        return _out_of_autocast(last, upsampler(x + self.body(x)))


class ShiftedEDSR(EDSR):
    """An EDSR as its authors compute it: on values up to `peak`, around the mean of its pictures.

    Takes and returns RGB in [0, 1] like every network here.
    """

    def __init__(self, peak: float, *sizes: Any) -> None:
        super().__init__(*sizes)
        self.peak, self.sub_mean, self.add_mean = peak, MeanShift(), MeanShift()

    def forward(self, x: Tensor) -> Tensor:
        return self.add_mean(super().forward(self.sub_mean(x * self.peak))) / self.peak


def from_state_dict(weights: Mapping[str, Tensor], peak: float | None = None) -> EDSR:
    """The network that `weights` belong to: depth, width and scale are read from names and shapes.

    With the `peak` of its values the shifts by a mean are applied, without it they are left out.

    >>> twin = from_state_dict(EDSR(scale=4, features=8, blocks=3).state_dict())
    >>> twin.scale, twin.head[0].out_channels, len(twin.body) - 1
    (4, 8, 3)
    """
    scale, features, blocks = sizes(weights)
    res_scale = 0.1 if features == 256 else 1.0  # the paper's large model (section 4.2)
    shape = (scale, features, blocks, res_scale, "block_order" in weights)
    if peak is None:
        weights = {k: v for k, v in weights.items() if not re.match(r"(sub|add)_mean\.", k)}
        network = EDSR(*shape)
    else:
        network = ShiftedEDSR(peak, *shape)
    network.load_state_dict(dict(weights))
    return network


def sizes(weights: Mapping[str, Tensor]) -> tuple[int, int, int]:
    """Scale, features and blocks of the network that `weights` belong to.

    >>> sizes(EDSR(scale=3, features=8, blocks=2).state_dict())
    (3, 8, 2)
    """
    features = weights["head.0.weight"].shape[0]
    blocks = len({k.split(".")[1] for k in weights if re.match(r"body\.\d+\.body\.", k)})
    expansion = weights["tail.0.0.weight"].shape[0] // features
    scale = 4 if "tail.0.2.weight" in weights else {4: 2, 9: 3}[expansion]
    return scale, features, blocks


def recognises(weights: Mapping[str, Tensor]) -> bool:
    """Whether the names look like an EDSR checkpoint."""
    return "head.0.weight" in weights and "tail.0.0.weight" in weights


def in_channels_last(network: EDSR, name: str) -> SRNetwork:
    """`network` as loading gives it, in the memory format that its convolutions are fastest in."""
    return SRNetwork(
        network,
        name,
        network.scale,
        receptive_radius=network.receptive_radius,
        memory_format=torch.channels_last,
    )


def build(checkpoint: Checkpoint) -> SRNetwork:
    """The network in the range of values that it was trained for.

    The shifts by a mean do not tell: the Hub's `eugenesiow/edsr-base` carries them, and was trained
    on 0 to 1 without. Whichever enlarges a sample better is taken.
    """
    weights = checkpoint.weights
    outputs = weights["tail.1.weight"].shape[0]
    require_rgb(weights["head.0.weight"].shape[1], outputs, checkpoint.name)
    plain = in_channels_last(from_state_dict(weights), "EDSR")
    peak = peak_of(weights)
    if peak is None:
        return plain
    shifted = in_channels_last(from_state_dict(weights, peak), "EDSR")
    if likeness(shifted, shifted.scale) > likeness(plain, plain.scale):
        shifted.notes = (f"{checkpoint.name} {IN_RANGE.format(peak=peak)}",)
        return shifted
    plain.notes = (f"{checkpoint.name} {LEFT_OUT}",)
    return plain


def fresh(sizes: Sizes) -> EDSR:
    return EDSR(sizes.scale, sizes.features, sizes.blocks, learnable_shortcuts=sizes.depths)


def schemes(network: nn.Module, scheme: Scheme, placement: Placement) -> dict[str, Scheme]:
    return residual_schemes(network, scheme, placement.first_input_quantized, placement.ends)


def quantized_where(placement: Placement) -> str:
    inputs = "" if placement.first_input_quantized else "; the first convolution's input in FP32"
    ends = "FP32" if placement.ends == "fp32" else "8 bit"
    return f"both convolutions of every block{inputs}; head, tail and upsampler {ends}"


ARCHITECTURE = Architecture(
    "EDSR",
    SUPER_RESOLUTION,
    recognises,
    build,
    training=SRTraining("edsr", fresh, schemes, quantized_where, depth_dynamic="QuantSR-C"),
)
