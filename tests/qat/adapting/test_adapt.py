"""RLQ on demand, on networks small enough to run in a moment and on published ones."""

import copy
from contextvars import ContextVar
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from spandrel.architectures.CRAFT import CRAFT
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.evaluation.quality import psnr_y
from quantlib.imaging.files import read_picture_file
from quantlib.imaging.resizing import downscale
from quantlib.imaging.samples import load_sample
from quantlib.imaging.tensors import to_tensor, to_uint8
from quantlib.models import load
from quantlib.models.architectures.edsr import EDSR
from quantlib.models.architectures.pan import PAN
from quantlib.qat import fused
from quantlib.qat.adapting.adapt import AdaptProgress, adapt
from quantlib.qat.layers.candidates import candidates
from quantlib.qat.layers.packing import packed_state
from quantlib.qat.layers.quantized import QuantConv2d, QuantLinear
from quantlib.qat.scheme import Scheme, quantize_layers, quantized_layers
from quantlib.tasks.super_resolution import adaptation_pictures

W4A4 = Scheme("rlq", weight_bits=4, activation_bits=4)


class Mixed(nn.Module):
    """Every kind of layer that occurs: depthwise, called twice, linear, transposed, own forward."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Conv2d(3, 8, 3, padding=1)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.twice = nn.Conv2d(8, 8, 1)
        self.tokens = nn.Linear(8, 8)
        self.map = nn.Linear(8, 8, bias=False)
        self.up = nn.ConvTranspose2d(8, 8, 2, stride=2)
        self.own = Doubled(8, 8, 1)
        self.alias = self.both = nn.Conv2d(8, 8, 1)
        self.unused = nn.Linear(8, 8)
        self.tail = nn.Conv2d(8, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.depthwise(self.head(x)).relu()
        x = self.twice(self.twice(x).relu())
        n, c, h, w = x.shape
        x = self.tokens(x.flatten(2).mT).mT.reshape(n, c, h, w)
        x = self.map(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return self.tail(self.both(self.own(self.up(x))))


class Doubled(nn.Conv2d):
    def forward(self, input: Tensor) -> Tensor:
        return 2 * super().forward(input)


def seeded(make, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return make()


def pictures(count: int = 2, seed: int = 1) -> list[Tensor]:
    """Smooth waves with an edge, of different sizes."""
    random = torch.Generator().manual_seed(seed)
    made = []
    for number in range(count):
        y, x = torch.meshgrid(torch.arange(40.0 + 4 * number), torch.arange(44.0), indexing="ij")
        phases = torch.rand(3, 1, 1, generator=random) * 6
        made.append(((torch.sin(x / 5 + y / 7 + phases) + (x > 20)) / 4 + 0.3).clamp(0, 1)[None])
    return made


def gap(a: nn.Module, b: nn.Module, x: Tensor) -> float:
    with torch.no_grad():
        return float((a(x) - b(x)).square().mean().sqrt())


def test_every_kind_of_layer() -> None:
    network = seeded(Mixed)
    adapted = adapt(network, pictures(), W4A4, steps=3)
    assert set(adapted.quantized) == {"depthwise", "twice", "tokens"}
    assert adapted.left_alone == {
        "head": "the first layer",
        "map": "its input has 4 axes",
        "up": "it enlarges, or comes after",
        "own": "it enlarges, or comes after",
        "alias": "it enlarges, or comes after",
        "both": "it enlarges, or comes after",
        "tail": "the last layer",
    }
    assert adapt(network, pictures(), W4A4, steps=0, ends=True).left_alone == {
        "map": "its input has 4 axes",
        "up": "a ConvTranspose2d",
        "own": "a Doubled",
        "alias": "it stands in several places",
        "both": "it stands in several places",
    }
    assert set(quantized_layers(adapted.network)) == set(adapted.quantized)
    assert adapted.steps == 3


def test_ends_on_demand() -> None:
    network = seeded(lambda: EDSR(2, 4, 1))
    inner = set(adapt(network, pictures(), W4A4, steps=0).quantized)
    both = set(adapt(network, pictures(), W4A4, steps=0, ends=True).quantized)
    named = [n for n, m in network.named_modules() if isinstance(m, nn.Conv2d)]
    assert both == set(named)
    assert inner == set(named[1:-2])  # but head, upsampler and tail


def test_the_original_is_untouched() -> None:
    network = seeded(lambda: EDSR(2, 4, 2)).train()
    before = copy.deepcopy(network.state_dict())
    adapt(network, pictures(), W4A4, steps=4)
    after = network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert network.training
    assert not quantized_layers(network)
    assert all(p.requires_grad and p.grad is None for p in network.parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())


def test_the_result_is_frozen_and_free_of_hooks() -> None:
    adapted = adapt(seeded(lambda: PAN(2, 8, 4, 1)), pictures(), W4A4, steps=2).network
    assert not adapted.training
    assert not any(p.requires_grad for p in adapted.parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in adapted.modules())


@pytest.mark.parametrize("learn_weights", [True, False])
@pytest.mark.parametrize("make", [lambda: EDSR(2, 8, 2), lambda: PAN(2, 8, 4, 2)])
def test_steps_bring_it_nearer_on_a_picture_not_seen(make, learn_weights: bool) -> None:
    network = seeded(make)
    unseen = pictures(3, seed=9)[2]
    scheme = Scheme("rlq", 3, 3)
    settings: dict = {"learn_weights": learn_weights, "ends": True, "side": 16}
    start = adapt(network, pictures(), scheme, steps=0, **settings)
    end = adapt(network, pictures(), scheme, steps=60, **settings)
    nearer = 0.95 if learn_weights else 0.97
    assert gap(end.network, network, unseen) < nearer * gap(start.network, network, unseen)


def test_only_steps_shifts_and_biases_move_without_weights() -> None:
    network = seeded(lambda: EDSR(2, 4, 1))
    adapted = adapt(network, pictures(), W4A4, steps=3, learn_weights=False).network.state_dict()
    for name, tensor in network.state_dict().items():
        same = torch.equal(adapted[name], tensor)
        assert same or (name.endswith("bias") and name.startswith(("body", "after", "tail"))), name


def test_the_same_seed_gives_the_same_network() -> None:
    network = seeded(lambda: EDSR(2, 4, 1))
    one, same = (adapt(network, pictures(), W4A4, steps=3, seed=5) for _ in range(2))
    other = adapt(network, pictures(), W4A4, steps=3, seed=6)
    x = pictures()[0]
    assert torch.equal(one.network(x), same.network(x))
    assert not torch.equal(one.network(x), other.network(x))


@pytest.mark.parametrize("method", ["lsq", "pact", "dorefa", "pams", "ddtb"])
def test_every_method(method: str) -> None:
    network = seeded(lambda: EDSR(2, 4, 1))
    adapted = adapt(network, pictures(), Scheme(method, 4, 4), steps=2)
    assert adapted.network(pictures()[0]).isfinite().all()


def test_progress_and_stop() -> None:
    seen: list[AdaptProgress] = []

    def watch(progress: AdaptProgress) -> bool:
        seen.append(progress)
        return progress.step == 3

    adapted = adapt(seeded(lambda: EDSR(2, 4, 1)), pictures(), W4A4, steps=9, watch=watch)
    assert adapted.steps == 3
    assert [(p.step, p.steps) for p in seen] == [(1, 9), (2, 9), (3, 9)]
    assert all(p.loss > 0 for p in seen)
    assert seen[0].seconds_left is None
    assert seen[2].seconds_left is not None and seen[2].seconds_left > 0
    assert not any(p.requires_grad for p in adapted.network.parameters())


def test_every_layer_is_announced_before_it_starts() -> None:
    network, heard = seeded(lambda: EDSR(2, 4, 1)), []
    adapted = adapt(network, pictures(), W4A4, steps=0, watch_start=heard.append)
    assert tuple(heard) == adapted.quantized

    def stop(layer: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        adapt(network, pictures(), W4A4, steps=9, watch_start=stop)


def test_what_a_watcher_raises_ends_the_run() -> None:
    network = seeded(lambda: EDSR(2, 4, 1))

    def watch(progress: AdaptProgress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        adapt(network, pictures(), W4A4, steps=9, watch=watch)
    assert not quantized_layers(network)


def test_inside_inference_mode(monkeypatch) -> None:
    """Here the formulas are compiled, too."""
    monkeypatch.setattr(fused, "_uncompiled", ContextVar("uncompiled", default=False))
    network = seeded(lambda: EDSR(2, 4, 1))
    with torch.inference_mode():
        shown = [picture + 0 for picture in pictures()]
        assert adapt(network, shown, W4A4, steps=2).steps == 2


def test_what_cannot_be_done() -> None:
    network = seeded(lambda: EDSR(2, 4, 1))
    with pytest.raises(QuantlibError, match="at least one picture"):
        adapt(network, [], W4A4)
    with pytest.raises(QuantlibError, match=r"\(1, 3, H, W\), not \(3, 8, 8\)"):
        adapt(network, [torch.rand(3, 8, 8)], W4A4)
    with pytest.raises(QuantlibError, match="not finite"):
        adapt(network, [torch.full((1, 3, 8, 8), torch.nan)], W4A4)
    with pytest.raises(QuantlibError, match="-1 steps"):
        adapt(network, pictures(), W4A4, steps=-1)
    with pytest.raises(QuantlibError, match="no layer that could be quantized"):
        adapt(nn.Sequential(nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)), pictures(), W4A4)
    quantized = adapt(network, pictures(), W4A4, steps=0).network
    with pytest.raises(QuantlibError, match="quantized already"):
        adapt(quantized, pictures(), W4A4)


def test_a_loss_that_is_not_finite() -> None:
    network = seeded(lambda: EDSR(2, 4, 1))

    def spoil(progress: AdaptProgress) -> None:
        with torch.no_grad():
            teacher_weight.fill_(torch.nan)

    teacher_weight = next(reversed(list(network.parameters())))
    with pytest.raises(QuantlibError, match="at step 2; choose more bits"):
        adapt(network, pictures(), W4A4, steps=4, watch=spoil)


def test_candidates_follow_the_order_of_execution() -> None:
    class Backwards(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tail, self.middle, self.head = (nn.Conv2d(3, 3, 1) for _ in range(3))

        def forward(self, x: Tensor) -> Tensor:
            return self.tail(self.middle(self.head(x)))

    found = candidates(Backwards(), torch.zeros(1, 3, 4, 4))
    assert found.layers == ["middle"]
    assert found.left_alone == {"head": "the first layer", "tail": "the last layer"}


def saved_and_loaded(network: nn.Module, file: Path) -> nn.Module:
    tensors, metadata = packed_state(network)
    save_file(tensors, file, metadata)
    return load(str(file))


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: EDSR(2, 8, 2), "edsr"),
        (lambda: PAN(2, 8, 4, 2), "pan"),
        (lambda: PAN(3, 8, 4, 2), "pan-x3"),
    ],
)
@pytest.mark.parametrize("scheme", [W4A4, Scheme("rlq", 2, 2), Scheme("rlq", 8, 8)])
def test_saved_and_loaded_back(tmp_path: Path, make, name: str, scheme: Scheme) -> None:
    save_file(seeded(make).state_dict(), tmp_path / f"{name}.safetensors")
    network = load(str(tmp_path / f"{name}.safetensors"))
    adapted = adapt(network, pictures(), scheme, steps=3)
    back = saved_and_loaded(adapted.network.network, tmp_path / f"rlq-{name}.safetensors")  # type: ignore[arg-type]
    assert adapted.network.scale == back.scale == network.scale
    x = pictures(3)[2]
    with torch.no_grad():
        torch.testing.assert_close(back(x), adapted.network(x), atol=1e-6, rtol=0)
    assert len(quantized_layers(back)) == len(adapted.quantized)
    assert all(isinstance(m, QuantConv2d) for m in quantized_layers(back).values())


def test_a_network_of_spandrel_saved_and_loaded_back(tmp_path: Path) -> None:
    """CRAFT, small: convolutions, and linear layers of tokens, that only spandrel knows."""
    craft = seeded(lambda: CRAFT(depths=[1], num_heads=[6], upscale=4))
    save_file(craft.state_dict(), tmp_path / "craft.safetensors")
    network = load(str(tmp_path / "craft.safetensors"))
    low = [downscale(to_tensor(load_sample("cat", 96).rgb), 4)]
    adapted = adapt(network, low, Scheme("rlq", 8, 8), steps=1, side=16)
    kinds = {type(layer) for layer in quantized_layers(adapted.network).values()}
    assert kinds == {QuantConv2d, QuantLinear}
    back = saved_and_loaded(adapted.network.network, tmp_path / "rlq-craft.safetensors")  # type: ignore[arg-type]
    again = quantized_layers(back.network)  # type: ignore[arg-type]
    for name, layer in quantized_layers(adapted.network.network).items():  # type: ignore[arg-type]
        torch.testing.assert_close(again[name].quantized_weight(), layer.quantized_weight())
    # sums in another order tip codes that lie between two levels, and attention spreads that
    assert gap(back, adapted.network, low[0]) < gap(adapted.network, network, low[0]) < 0.02


SMALL = ("butterfly", "head")  # of Set5


def set5(network: nn.Module, data: Path) -> float:
    scale = int(network.scale)  # type: ignore[arg-type]
    values = []
    for file in (data / "set5" / "HR" / f"{name}.png" for name in SMALL):
        low = data / "set5" / "LR_bicubic" / f"X{scale}" / f"{file.stem}x{scale}.png"
        with torch.no_grad():
            made = to_uint8(network(to_tensor(read_picture_file(low).rgb)))
        truth = read_picture_file(file).rgb[: made.shape[0], : made.shape[1]]
        values.append(psnr_y(made, truth, scale))
    return float(np.mean(values))


def minmax(network: nn.Module, scheme: Scheme, shown: list[Tensor], layers: list[str]) -> nn.Module:
    """Steps that reach the largest magnitude of the weights, and of the inputs on `shown`."""
    result = copy.deepcopy(network)
    quantize_layers(result, dict.fromkeys(layers, scheme))
    reached: dict[str, list[float]] = {name: [0.0, 0.0] for name in layers}
    handles = []
    for name in layers:

        def note(layer: nn.Module, inputs: tuple[Tensor, ...], name: str = name) -> None:
            low, high = reached[name]
            reached[name] = [min(low, float(inputs[0].min())), max(high, float(inputs[0].max()))]

        handles.append(network.get_submodule(name).register_forward_pre_hook(note))
    for picture in shown:
        with torch.no_grad():
            network(picture)
    for handle in handles:
        handle.remove()
    for name, layer in quantized_layers(result).items():
        extremes = torch.tensor(reached[name])
        for quantizer, values in (
            (layer.activation, extremes),
            (layer.weight_quantizer, layer.weight.detach()),
        ):
            quantizer.initialise(values)  # type: ignore[union-attr]
            step = values.abs().max() / quantizer.bitwidth.qmax  # type: ignore[union-attr]
            quantizer.raw_step.data.copy_(step)  # type: ignore[union-attr]
    return result


@pytest.mark.shared
@pytest.mark.timeout(900)
def test_pan_at_four_bits_on_set5(shared_data: Path) -> None:
    """The first steps of the way; `make adapt` goes all of it and prints the figures."""
    network = load(str(shared_data / "weights" / "PANx2_DF2K.pth"))
    shown = adaptation_pictures(2)[::3]
    adapted = adapt(network, shown, steps=8)
    plain = minmax(network, Scheme("lsq", 4, 4), shown, list(adapted.quantized))
    reached = set5(adapted.network, shared_data)
    assert reached > set5(plain, shared_data) + 1
    assert reached > set5(network, shared_data) - 1
