"""EDSR, enhanced deep residual super-resolution (Lim et al., CVPRW 2017, arXiv 1707.02921).

Parameter names are those of the authors' code, which the Hub's `eugenesiow/edsr-base` also uses.
"""

import copy
import re
from collections.abc import Collection, Mapping

import torch
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.qat.depth import kept_blocks


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def _out_of_autocast(layer: nn.Module, x: Tensor) -> Tensor:
    """Both ends stay out of autocast: bfloat16 has fewer levels than an 8-bit picture."""
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


class SkippedBlock(nn.Module):
    """What is left of a skipped residual block: s·x."""

    def __init__(self, shortcut: nn.Parameter | None) -> None:
        super().__init__()
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        return x if self.shortcut is None else x * self.shortcut


def _upsampler(features: int, scale: int) -> nn.Sequential:
    """Sub-pixel convolutions: one stage for ×2 and ×3, two ×2 stages for ×4."""
    stages = {2: [2], 3: [3], 4: [2, 2]}[scale]
    layers: list[nn.Module] = []
    for factor in stages:
        layers += [_conv(features, factor**2 * features), nn.PixelShuffle(factor)]
    return nn.Sequential(*layers)


class EDSR(nn.Module):
    """Super-resolution network of `blocks` residual blocks with `features` channels.

    Takes RGB pictures `float32 (N, 3, H, W)` in [0, 1] and returns them `scale` times larger.

    >>> EDSR(scale=2, features=8, blocks=2)(torch.zeros(1, 3, 5, 7)).shape
    torch.Size([1, 3, 10, 14])
    """

    block_order: Tensor

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
    def residual_blocks(self) -> list[ResidualBlock]:
        return list(self.body)[:-1]  # type: ignore[arg-type]

    @property
    def shortcuts(self) -> Tensor:
        """The learned shortcuts of the blocks, `(B,)`."""
        return torch.stack([block.shortcut for block in self.residual_blocks])  # type: ignore[misc]

    @property
    def has_depths(self) -> bool:
        """Whether this is a depth-dynamic super-network, with shortcuts and an order of blocks."""
        return "block_order" in self._buffers

    def with_blocks(self, kept: Collection[int]) -> "EDSR":
        """This network, weights shared, with every block but the `kept` ones skipped."""
        blocks = [
            block if i in kept else SkippedBlock(block.shortcut)
            for i, block in enumerate(self.residual_blocks)
        ]
        return self.with_body(*blocks, self.body[-1])

    def with_body(self, *modules: nn.Module) -> "EDSR":
        """This network, weights shared, with the body made of `modules`."""
        twin = copy.copy(self)
        twin._modules = dict(self._modules)
        twin.body = nn.Sequential(*modules)
        return twin

    def at_depth(self, depth: str) -> "EDSR":
        """The sub-network of a depth: "full", "half" or "quarter", weights shared (QuantSR)."""
        if depth == "full":
            return self
        if not self.has_depths:
            raise QuantlibError("This network has one depth only; choose the full one.")
        return self.with_blocks(self.kept_blocks(depth))

    def kept_blocks(self, depth: str) -> list[int]:
        """The blocks of a depth-dynamic super-network that a depth computes."""
        return kept_blocks(self.block_order.tolist(), depth)  # type: ignore[operator]

    @property
    def receptive_radius(self) -> int:
        """Low-resolution pixels to each side that can change an output pixel."""
        return 2 + 2 * (len(self.body) - 1) + 2

    def forward(self, x: Tensor) -> Tensor:
        upsampler, last = self.tail
        x = _out_of_autocast(self.head, x)
        return _out_of_autocast(last, upsampler(x + self.body(x)))


def from_state_dict(weights: Mapping[str, Tensor]) -> EDSR:
    """The network that `weights` belong to: depth, width and scale are read from names and shapes.

    >>> twin = from_state_dict(EDSR(scale=4, features=8, blocks=3).state_dict())
    >>> twin.scale, twin.head[0].out_channels, len(twin.body) - 1
    (4, 8, 3)
    """
    weights = {k: v for k, v in weights.items() if not re.match(r"(sub|add)_mean\.", k)}
    scale, features, blocks = sizes(weights)
    res_scale = 0.1 if features == 256 else 1.0  # the paper's large model (section 4.2)
    network = EDSR(scale, features, blocks, res_scale, "block_order" in weights)
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
