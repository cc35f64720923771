"""The contract of every super-resolution network, whatever its architecture."""

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from quantlib.errors import QuantlibError
from quantlib.qat.depth import DEPTHS
from quantlib.qat.scheme import quantized_layers


@dataclass(frozen=True)
class SizeRule:
    """What a network asks of a picture: at least `minimum` pixels, in multiples of `multiple`.

    >>> SizeRule(minimum=16, multiple=8).padding(21)
    3
    """

    minimum: int = 1
    multiple: int = 1
    square: bool = False

    def padding(self, length: int) -> int:
        """Pixels that are missing at the end of a side of `length` pixels."""
        return -(-max(length, self.minimum) // self.multiple) * self.multiple - length


def require_rgb(inputs: int, outputs: int, file: str) -> None:
    """Refuses networks for other pictures than RGB by their channels."""
    if (inputs, outputs) != (3, 3):
        raise QuantlibError(
            f"{file} is made for {inputs} input and {outputs} output channels; choose a network "
            "for RGB pictures."
        )


class SRNetwork(nn.Module):
    """A super-resolution network with where it comes from, in evaluation mode and frozen.

    `forward` takes RGB `float32 (N, 3, H, W)` in [0, 1] of any size and returns
    `(N, 3, scale·H, scale·W)`, not clipped. Where the architecture needs other sizes, the picture
    is continued at the right and the bottom (mirrored, then repeated) and the result cropped.

    Attributes: `network` the architecture itself; `name` what `load` was given; `scale`;
    `architecture`; `source` file or repository; `licence` or None; `receptive_radius` in
    low-resolution pixels to each side, None where it is not known or not bounded; `window` the
    multiple of pixels at which attention windows repeat (1 without windows); `sha256` of the file;
    `commit` on the Hub or None; `parameter_count`; `memory_format` of the fastest pass; `notes`
    what a person should know about how the file was read, a sentence each.

    >>> network = SRNetwork(nn.Upsample(scale_factor=2), "nearest neighbour", 2)
    >>> network(torch.zeros(1, 3, 4, 5)).shape, network.parameter_count, network.training
    (torch.Size([1, 3, 8, 10]), 0, False)
    """

    def __init__(
        self,
        network: nn.Module,
        architecture: str,
        scale: int,
        *,
        receptive_radius: int | None = None,
        window: int = 1,
        size_rule: SizeRule = SizeRule(),
        memory_format: torch.memory_format = torch.contiguous_format,
        notes: tuple[str, ...] = (),
    ) -> None:
        super().__init__()
        self.network = network.to(memory_format=memory_format)  # type: ignore[call-overload]
        self.memory_format = memory_format
        self.architecture = architecture
        self.scale = scale
        self.receptive_radius = receptive_radius
        self.window = window
        self.size_rule = size_rule
        self.name = ""
        self.source = ""
        self.licence: str | None = None
        self.sha256 = ""
        self.commit: str | None = None
        self.notes = notes
        self.parameter_count = sum(p.numel() for p in network.parameters())
        self.eval().requires_grad_(False)

    @property
    def is_quantized(self) -> bool:
        """Whether the network was trained with quantized layers."""
        return bool(quantized_layers(self.network))

    @property
    def depths(self) -> tuple[str, ...]:
        """The depths that the network can run at; only the full one unless it was trained so."""
        return tuple(DEPTHS) if getattr(self.network, "has_depths", False) else ("full",)

    def at_depth(self, depth: str) -> "SRNetwork":
        """The sub-network of a depth, weights shared; QuantlibError where there is none."""
        if depth == "full":
            return self
        if depth not in self.depths:
            raise QuantlibError(f"{self.name or 'This network'} has one depth only; choose full.")
        return self.around(self.network.at_depth(depth))  # type: ignore[operator]

    def around(self, network: nn.Module) -> "SRNetwork":
        """The same around another form of the network: a sub-network, or a quantized one."""
        twin = copy.copy(self)
        twin._modules = {"network": network}
        twin.parameter_count = sum(p.numel() for p in network.parameters())
        return twin

    def seen_size(self, height: int, width: int) -> tuple[int, int]:
        """The height and the width that a picture of these is continued to."""
        below, right = self.size_rule.padding(height), self.size_rule.padding(width)
        side = max(height + below, width + right)
        return (side, side) if self.size_rule.square else (height + below, width + right)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        own = self._continue(x).clone(memory_format=self.memory_format)  # RCAN writes on its input
        y = self.network(own)
        return y[..., : self.scale * height, : self.scale * width]

    def _continue(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        seen = self.seen_size(height, width)
        below, right = seen[0] - height, seen[1] - width
        if not (below or right):
            return x
        mirrored = min(right, width - 1), min(below, height - 1)
        x = pad(x, (0, mirrored[0], 0, mirrored[1]), mode="reflect")
        return pad(x, (0, right - mirrored[0], 0, below - mirrored[1]), mode="replicate")
