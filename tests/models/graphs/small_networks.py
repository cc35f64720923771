"""Small networks of the kinds that efficient super-resolution is made of, and their ONNX files."""

import io
import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional


def conv(
    inputs: int, outputs: int, kernel: int = 3, dilation: int = 1, groups: int = 1
) -> nn.Conv2d:
    padding = dilation * (kernel // 2)
    return nn.Conv2d(inputs, outputs, kernel, 1, padding, dilation, groups)


class EdgeAttention(nn.Module):
    """Spatial attention from far away: a strided convolution, a large pool, enlarged again."""

    def __init__(self, features: int) -> None:
        super().__init__()
        few = features // 2
        self.narrow, self.skip = conv(features, few, 1), conv(few, few, 1)
        self.stride = nn.Conv2d(few, few, 3, stride=2)
        self.far, self.widen = conv(few, few), conv(few, features, 1)

    def forward(self, x: Tensor) -> Tensor:
        narrow = self.narrow(x)
        far = self.far(functional.max_pool2d(self.stride(narrow), kernel_size=7, stride=3))
        far = functional.interpolate(far, x.shape[2:], mode="bilinear", align_corners=False)
        return x * torch.sigmoid(self.widen(far + self.skip(narrow)))


class ContrastAttention(nn.Module):
    """A weight for each channel, from its deviation and its mean."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.down, self.up = conv(features, 2, 1), conv(2, features, 1)

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean((2, 3), keepdim=True)
        contrast = ((x - mean) ** 2).mean((2, 3), keepdim=True).sqrt() + mean
        return x * torch.sigmoid(self.up(torch.relu(self.down(contrast))))


class Distillation(nn.Module):
    """Features that leave at every stage and are joined at the end (IMDN, RFDN)."""

    def __init__(self, features: int, attention: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.kept = features // 4
        rest = features - self.kept
        self.first, self.second = conv(features, features), conv(rest, features)
        self.third = conv(rest, self.kept)
        self.join, self.attention = conv(3 * self.kept, features, 1), attention(features)

    def forward(self, x: Tensor) -> Tensor:
        one, rest = torch.split(functional.leaky_relu(self.first(x), 0.05), self._parts(), 1)
        two, rest = torch.split(functional.leaky_relu(self.second(rest), 0.05), self._parts(), 1)
        joined = torch.cat([one, two, self.third(rest)], 1)
        return x + self.attention(self.join(joined))

    def _parts(self) -> list[int]:
        return [self.kept, self.first.out_channels - self.kept]


class Local(nn.Module):
    """Convolutions in a row with a shortcut around them, and attention (RLFN)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.convs = nn.Sequential(
            *(layer for _ in range(2) for layer in (conv(features, features), nn.SiLU()))
        )
        self.last, self.attention = conv(features, features, 1), EdgeAttention(features)

    def forward(self, x: Tensor) -> Tensor:
        return self.attention(self.last(self.convs(x) + x))


class Blueprint(nn.Module):
    """A convolution of each pixel, then one of each channel by itself (BSRN)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.points = nn.Conv2d(features, features, 1, bias=False)
        self.depth = conv(features, features, groups=features)
        self.attention = ContrastAttention(features)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.attention(functional.gelu(self.depth(self.points(x))))


class Modulation(nn.Module):
    """Parts of the channels at several sizes, which gate the picture (SAFMN, with its norm)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(features))
        half = features // 2
        self.near = conv(half, half, groups=half)
        self.far, self.mix = conv(half, half, groups=half), conv(features, features, 1)

    def forward(self, x: Tensor) -> Tensor:
        normed = functional.layer_norm(
            x.permute(0, 2, 3, 1), self.weight.shape, self.weight, None, 1e-6
        ).permute(0, 3, 1, 2)
        near, far = normed.chunk(2, 1)
        height, width = x.shape[-2:]
        small = self.far(functional.max_pool2d(far, 4))
        small = functional.interpolate(small, (height, width), mode="nearest")
        return x + functional.gelu(self.mix(torch.cat([self.near(near), small], 1))) * normed


class PixelAttention(nn.Module):
    """A weight for every pixel of every channel (PAN)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.gate, self.slope = conv(features, features, 1), nn.PReLU(features)
        self.body = conv(features, features)

    def forward(self, x: Tensor) -> Tensor:
        return self.slope(self.body(x)) * self.gate(x).sigmoid() + x


class LargeKernel(nn.Module):
    """Gates from far away, by convolutions of one channel each with gaps (VAN, MAN, GFMN)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.enter, self.leave = conv(features, 2 * features, 1), conv(features, features, 1)
        self.near = conv(features, features, 5, groups=features)
        self.far = conv(features, features, 7, dilation=3, groups=features)
        self.norm, self.scale = nn.BatchNorm2d(features), nn.Parameter(torch.rand(features, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        gate, value = self.enter(self.norm(x)).chunk(2, 1)
        return x + self.leave(self.far(self.near(gate)) * value) * self.scale


class Transposed(nn.Module):
    """Channels that attend to each other through products (Restormer), and linear layers."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.queries, self.out = conv(features, 3 * features, 1), nn.Linear(features, features)

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        q, k, v = (one.reshape(batch, channels, -1) for one in self.queries(x).chunk(3, 1))
        weights = torch.softmax(functional.normalize(q, dim=-1) @ k.transpose(1, 2) / 8, -1)
        mixed = self.out((weights @ v).transpose(1, 2)).transpose(1, 2)
        return x + mixed.reshape(batch, channels, height, width)


BLOCKS: dict[str, Callable[[int], nn.Module]] = {
    "RLFN": Local,
    "RFDN": lambda features: Distillation(features, EdgeAttention),
    "IMDN": lambda features: Distillation(features, ContrastAttention),
    "BSRN": Blueprint,
    "SAFMN": Modulation,
    "PAN": PixelAttention,
    "large kernel": LargeKernel,
    "Restormer": Transposed,
}


class Enlarging(nn.Module):
    """Two blocks of a kind between a head and the pixels that are shuffled."""

    def __init__(self, kind: str, scale: int = 2, features: int = 8) -> None:
        super().__init__()
        self.head = conv(3, features)
        self.body = nn.Sequential(*(BLOCKS[kind](features) for _ in range(2)))
        self.fuse = conv(features, features)
        self.upsampler = nn.Sequential(conv(features, 3 * scale**2), nn.PixelShuffle(scale))
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        head = self.head(x)
        detail = self.upsampler(self.fuse(self.body(head)) + head)
        return detail + functional.interpolate(
            x, scale_factor=self.scale, mode="bilinear", align_corners=False
        )


def small(kind: str, scale: int = 2) -> Enlarging:
    """A network with random weights whose outputs stay near the picture."""
    torch.manual_seed(0)
    network = Enlarging(kind, scale)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.get_buffer("running_mean"), -0.1, 0.1)
            nn.init.uniform_(module.get_buffer("running_var"), 0.5, 1.5)
    with torch.no_grad():
        network.get_parameter("upsampler.0.weight").mul_(0.1)
    return network.eval().requires_grad_(False)


def onnx_file(network: nn.Module, side: int = 24, fixed: bool = False, opset: int = 17) -> bytes:
    """The ONNX file of `network`, by PyTorch's exporter."""
    file = io.BytesIO()
    free = {0: "batch", 2: "height", 3: "width"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (torch.rand(1, 3, side, side),),
            file,  # pyright: ignore[reportArgumentType]
            input_names=["input"],
            output_names=["output"],
            dynamic_axes=None if fixed else {"input": free, "output": free},
            opset_version=opset,
            dynamo=False,
        )
    return file.getvalue()
