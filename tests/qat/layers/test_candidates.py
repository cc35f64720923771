"""Which layers are quantized, on networks whose right answer their construction tells."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, interpolate, pad, pixel_shuffle

from quantlib.errors import QuantlibError
from quantlib.qat.adapting.adapt import adapt
from quantlib.qat.layers.candidates import candidates

CROPS = (40, 44, 48, 64)
Change = Callable[[Tensor], Tensor]


def conv(inputs: int = 8, outputs: int = 8, padding: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=padding)


def to_multiple(of: int, mode: str = "constant") -> Change:
    return lambda x: pad(x, (0, -x.shape[-1] % of, 0, -x.shape[-2] % of), mode=mode)


def to_power_of_two(x: Tensor) -> Tensor:
    height, width = (1 << (side - 1).bit_length() for side in x.shape[-2:])
    return pad(x, (0, width - x.shape[-1], 0, height - x.shape[-2]))


class Enlarging(nn.Module):
    """first → `before` → body → `after` → up → ×2 → last, with a body of two convolutions."""

    body_names: tuple[str, ...] = ("body.0", "body.2")

    def __init__(self, before: Change = lambda x: x, crop_early: bool = True) -> None:
        super().__init__()
        self.first, self.up, self.last = conv(3), conv(8, 32), conv(8, 3)
        self.body: nn.Module = nn.Sequential(conv(), nn.ReLU(), conv())
        self.before, self.crop_early = before, crop_early

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        y = self.body(self.before(self.first(x)))
        if self.crop_early:
            y = y[..., :height, :width]
        return self.last(pixel_shuffle(self.up(y), 2))[..., : 2 * height, : 2 * width]


class ChannelsLast(nn.Module):
    """Linear layers on (N, H, W, C), whose last two sides say nothing about the picture."""

    def __init__(self) -> None:
        super().__init__()
        self.wide, self.narrow, self.mix = nn.Linear(8, 512), nn.Linear(512, 8), conv()

    def forward(self, x: Tensor) -> Tensor:
        return self.mix(self.narrow(self.wide(x.permute(0, 2, 3, 1))).permute(0, 3, 1, 2))


class Hourglass(nn.Module):
    """Halves the picture and comes back, padded so that it can."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.middle, self.back = nn.Conv2d(8, 8, 2, 2), conv(), conv()

    def forward(self, x: Tensor) -> Tensor:
        deep = self.middle(self.down(to_multiple(2)(x)))
        return self.back(interpolate(deep, scale_factor=2)[..., : x.shape[-2], : x.shape[-1]])


class Windows(nn.Module):
    """A convolution on windows of 8×8 pixels, after padding to them."""

    def __init__(self) -> None:
        super().__init__()
        self.inside, self.mix = conv(), conv()

    def forward(self, x: Tensor) -> Tensor:
        whole = to_multiple(8)(x)
        n, c, h, w = whole.shape
        cut = whole.reshape(n, c, h // 8, 8, w // 8, 8).permute(0, 2, 4, 1, 3, 5)
        y = self.inside(cut.reshape(-1, c, 8, 8)).reshape(n, h // 8, w // 8, c, 8, 8)
        return self.mix(y.permute(0, 3, 1, 4, 2, 5).reshape(n, c, h, w))


class FixedSize(nn.Module):
    """Sees every picture at 100×100."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = conv(), conv()

    def forward(self, x: Tensor) -> Tensor:
        y = self.two(self.one(interpolate(x, (100, 100))).relu())
        return interpolate(y, x.shape[-2:])


class Gated(nn.Module):
    """A gate of one value per channel, and a branch that sees the picture at a fixed size."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.context, self.mix = nn.Conv2d(8, 8, 1), conv(), conv()

    def forward(self, x: Tensor) -> Tensor:
        gate = self.gate(adaptive_avg_pool2d(x, 1)).sigmoid()
        context = self.context(adaptive_avg_pool2d(x, 96)).mean((2, 3), keepdim=True)
        return self.mix(x * gate + context)


def with_body(body: nn.Module) -> Enlarging:
    network = Enlarging()
    network.body = body
    network.body_names = tuple(f"body.{name}" for name, _ in body.named_children())
    return network


BODIES: dict[str, Callable[[], Enlarging]] = {
    "as it is": Enlarging,
    **{
        f"padded to {of}": lambda of=of: Enlarging(to_multiple(of))
        for of in (7, 10, 16, 36, 64, 90, 128)
    },
    "padded to 16, cropped at the end": lambda: Enlarging(to_multiple(16), crop_early=False),
    "padded to 128, cropped at the end": lambda: Enlarging(to_multiple(128), crop_early=False),
    "mirrored to 12": lambda: Enlarging(to_multiple(12, "reflect")),
    "a border of 20": lambda: Enlarging(lambda x: pad(x, (20, 20, 20, 20))),
    "padded to a power of two": lambda: Enlarging(to_power_of_two),
    "at one size": lambda: with_body(FixedSize()),
    "no padding": lambda: with_body(nn.Sequential(conv(padding=0), conv(padding=0))),
    "hourglass": lambda: with_body(Hourglass()),
    "windows": lambda: with_body(Windows()),
    "gated": lambda: with_body(Gated()),
}


@pytest.mark.parametrize("kind", BODIES)
def test_the_body_whatever_is_done_to_it_and_whatever_the_crop(kind: str) -> None:
    network = BODIES[kind]()
    for side in CROPS:
        found = candidates(network, torch.rand(1, 3, side, side))
        assert set(found.layers) == set(network.body_names)
        assert found.left_alone == {
            "first": "the first layer",
            "up": "it enlarges, or comes after",
            "last": "the last layer",
        }


def test_layers_on_channels_last_do_not_end_the_body() -> None:
    found = candidates(with_body(ChannelsLast()), torch.rand(1, 3, 24, 24))
    assert found.layers == ["body.mix"]
    assert (
        found.left_alone["body.wide"] == found.left_alone["body.narrow"] == "its input has 4 axes"
    )


def test_a_shortcut_that_is_enlarged_first_does_not_end_the_body() -> None:
    class Shortcut(Enlarging):
        def __init__(self) -> None:
            super().__init__()
            self.skip, self.refine = conv(3, 32), conv()

        def forward(self, x: Tensor) -> Tensor:
            first = self.first(x)
            skip = self.refine(pixel_shuffle(self.skip(x), 2))
            return self.last(skip + pixel_shuffle(self.up(self.body(first)), 2))

    found = candidates(Shortcut(), torch.rand(1, 3, 24, 24))
    assert found.layers == ["body.0", "body.2"]
    assert set(found.left_alone) == {"first", "skip", "refine", "up", "last"}


def test_a_tail_with_a_gate_is_left_alone_to_its_end() -> None:
    class Tail(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.wide, self.gate, self.out = conv(), nn.Conv2d(8, 8, 1), conv(8, 3)

        def forward(self, x: Tensor) -> Tensor:
            x = self.wide(x)
            return self.out(x * self.gate(adaptive_avg_pool2d(x, 1)))

    network = Enlarging()
    network.last = Tail()  # type: ignore[assignment]
    found = candidates(network, torch.rand(1, 3, 24, 24))
    assert found.layers == ["body.0", "body.2"]
    assert set(found.left_alone) == {"first", "up", "last.wide", "last.gate", "last.out"}


def test_two_stages_and_a_transposed_convolution() -> None:
    class Twice(Enlarging):
        def __init__(self) -> None:
            super().__init__()
            self.again = nn.ConvTranspose2d(8, 8, 2, stride=2)

        def forward(self, x: Tensor) -> Tensor:
            return self.last(self.again(pixel_shuffle(self.up(self.body(self.first(x))), 2)))

    found = candidates(Twice(), torch.rand(1, 3, 24, 24))
    assert found.layers == ["body.0", "body.2"]
    assert set(found.left_alone) == {"first", "up", "again", "last"}


@pytest.mark.parametrize("kind", ["padded to 16", "padded to 64", "a border of 20"])
def test_adapt_takes_the_same_layers_at_every_size(kind: str) -> None:
    network = BODIES[kind]()
    for side in (40, 44, 48, 64):
        adapted = adapt(network, [torch.rand(1, 3, side, side)], steps=0)
        assert adapted.quantized == ("body.0", "body.2")
        assert adapted.coverage == "2 of 5 layers quantized"


def test_a_network_without_layers() -> None:
    assert candidates(nn.Sequential(nn.ReLU()), torch.rand(1, 3, 8, 8)).layers == []
    with pytest.raises(QuantlibError, match="no layer that could be quantized"):
        adapt(nn.Sequential(nn.ReLU()), [torch.rand(1, 3, 8, 8)])
