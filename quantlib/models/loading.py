"""One way to every network: a name goes in, a super-resolution network comes out."""

import copy
import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from quantlib.errors import QuantlibError
from quantlib.models.architectures import edsr, pan, quantsr, swin2sr
from quantlib.models.checkpoint import read_metadata, read_weights
from quantlib.models.sources import explained, locate
from quantlib.qat.depth import DEPTHS
from quantlib.qat.layers import packing
from quantlib.qat.scheme import quantized_layers

if TYPE_CHECKING:
    from quantlib.models.architectures.swinir import SwinIR

RECOGNISED = (
    "EDSR, PAN, SwinIR, Swin2SR as transformers saves it, QuantSR-C as its authors do, "
    "and the architectures of spandrel"
)


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


class SRNetwork(nn.Module):
    """A super-resolution network with where it comes from, in evaluation mode and frozen.

    `forward` takes RGB `float32 (N, 3, H, W)` in [0, 1] of any size and returns
    `(N, 3, scale·H, scale·W)`, not clipped. Where the architecture needs other sizes, the picture
    is continued at the right and the bottom (mirrored, then repeated) and the result cropped.

    Attributes: `network` the architecture itself; `name` what `load` was given; `scale`;
    `architecture`; `source` file or repository; `licence` or None; `receptive_radius` in
    low-resolution pixels to each side, None where it is not known or not bounded; `window` the
    multiple of pixels at which attention windows repeat (1 without windows); `sha256` of the file;
    `commit` on the Hub or None; `parameter_count`; `memory_format` of the fastest pass.

    >>> network = SRNetwork(edsr.EDSR(2, features=4, blocks=1), "EDSR", 2, receptive_radius=6)
    >>> network.parameter_count, network.training
    (1259, False)
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
        y = self.network(self._continue(x).contiguous(memory_format=self.memory_format))
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


def load(name: str) -> SRNetwork:
    """The network called `builtin:NAME` or `hub:OWNER/NAME[@REVISION][:FILE]`, or a local file.

    Layouts that are recognised: EDSR, PAN, SwinIR, Swin2SR as `transformers` saves it, QuantSR-C as
    its authors do, and what spandrel knows. Scale, width and depth are read from the weights;
    PAN ×3 also needs `3x` or `x3` in the name of its file, and QuantSR-C with other than 4 bits
    theirs, as `2bit` or `w2a4`. Hub files are kept in the cache of `huggingface_hub`.

    Everything that can go wrong with a name, a download or a checkpoint raises a `QuantlibError`.

    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp()) / "small.pth"
    >>> torch.save(edsr.EDSR(scale=2, features=4, blocks=1).state_dict(), path)
    >>> network = load(str(path))
    >>> network.architecture, network.scale, network(torch.zeros(1, 3, 5, 7)).shape
    ('EDSR', 2, torch.Size([1, 3, 10, 14]))
    """
    found = locate(name)
    weights, metadata = read_weights(found.path), read_metadata(found.path)
    network = _recognise(packing.float_state(weights), found.path.name)
    if packing.KEY in metadata:
        packing.restore(network.network, weights, metadata)
        network.requires_grad_(False).eval()
    found.mark(network)
    return network


def _recognise(weights: dict[str, Tensor], file: str) -> SRNetwork:
    """The network that the names and shapes in `weights` belong to."""
    with explained(file, RECOGNISED), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # spandrel's architectures use older forms of PyTorch
        if quantsr.recognises(weights):
            made = quantsr.from_state_dict(weights, bits=quantsr.bits_in(file))
            return _small(made, "QuantSR-C")
        if edsr.recognises(weights):
            return _small(edsr.from_state_dict(weights), "EDSR")
        if pan.recognises(weights):
            return _small(pan.from_state_dict(weights, _scale_in(file)), "PAN")
        if swin2sr.recognises(weights):
            return _swin2sr(weights)
        if any(name.endswith("relative_position_bias_table") for name in weights):
            from quantlib.models.architectures import swinir

            if swinir.recognises(weights):
                return _swinir(swinir.from_state_dict(weights))
        return _from_spandrel(weights, file)


def _small(network: edsr.EDSR | pan.PAN, architecture: str) -> SRNetwork:
    return SRNetwork(
        network,
        architecture,
        network.scale,
        receptive_radius=network.receptive_radius,
        memory_format=torch.channels_last,
    )


def _swin2sr(weights: dict[str, Tensor]) -> SRNetwork:
    network = swin2sr.from_state_dict(weights)
    return SRNetwork(
        network,
        "Swin2SR",
        int(network.upscale),  # type: ignore[arg-type]
        window=swin2sr.WINDOW,
        size_rule=SizeRule(minimum=2 * swin2sr.WINDOW, multiple=swin2sr.WINDOW),
    )


def _swinir(network: "SwinIR") -> SRNetwork:
    step = network.window_size * network.start_unshuffle
    return SRNetwork(
        network,
        "SwinIR",
        network.scale,
        receptive_radius=network.receptive_radius,
        window=step,
        size_rule=SizeRule(minimum=2 * step, multiple=step),
    )


def _from_spandrel(weights: dict[str, Tensor], file: str) -> SRNetwork:
    import spandrel

    try:
        found = spandrel.ModelLoader().load_from_state_dict(dict(weights))
    except spandrel.UnsupportedModelError as error:
        raise QuantlibError(
            f"The layout of {file} is not recognised; recognised are {RECOGNISED}."
        ) from error
    architecture = found.architecture.name
    if found.purpose != "SR" or found.scale < 2:
        raise QuantlibError(
            f"{file} is a {architecture} network that does not enlarge pictures "
            f"({found.purpose}, ×{found.scale}); choose a super-resolution network."
        )
    if (found.input_channels, found.output_channels) != (3, 3):
        raise QuantlibError(
            f"{file} is made for {found.input_channels} input and {found.output_channels} output "
            "channels; choose a network for RGB pictures."
        )
    _fold(found.model)
    size = found.size_requirements
    return SRNetwork(
        found.model,
        architecture,
        found.scale,
        window=_window(found.model),
        size_rule=SizeRule(max(size.minimum, 1), size.multiple_of, size.square),
    )


def _window(network: nn.Module) -> int:
    window = getattr(network, "window_size", 1)
    sizes = window if isinstance(window, (tuple, list)) else [window]
    return max((s for s in sizes if isinstance(s, int)), default=1)


def _fold(network: nn.Module) -> None:
    """Puts SPAN's merged 3×3 convolutions in place of the branches they were merged from.

    spandrel's Conv3XC writes its merged weights anew in every forward pass; a network that is
    shared between threads must not change, and the branches are dead weight afterwards.
    """
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if type(child).__name__ == "Conv3XC" and not child.has_relu:
                child.update_params()  # type: ignore[operator]
                setattr(parent, name, child.eval_conv)


def _scale_in(file: str) -> int | None:
    """The scale that a file name states as `3x` or `x3`."""
    match = re.search(r"(?<![0-9])([234])x(?![0-9a-z])|x([234])(?![0-9])", file.lower())
    return int(match[1] or match[2]) if match else None
