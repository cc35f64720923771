"""RLQ on demand: a trained network learns to live with few bits, from its own output."""

import copy
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.linalg import vector_norm

from quantlib.errors import QuantlibError
from quantlib.qat.adapting.crops import Crops
from quantlib.qat.adapting.rates import learned
from quantlib.qat.adapting.start import (
    refit,
    sampled_output,
    start_input,
    start_scales,
    start_weight,
)
from quantlib.qat.layers.candidates import candidates
from quantlib.qat.layers.copying import structural_copy
from quantlib.qat.layers.quantized import QuantConv2d, QuantLinear, scaled
from quantlib.qat.layers.recording import recorded
from quantlib.qat.scheme import Scheme, quantize_layers, quantized_layers

STEPS, BATCH, SIDE = 455, 4, 40
START_BATCH, START_SIDE = 12, 48
SMALLEST_SIDE = 8
WARMUP = 20
ON_DEMAND = Scheme("rlq", 4, 4, scale_channels=True)
LAYER_WEIGHT, EVERY = 0.4, 2  # every second layer guides the ones between as well


@dataclass(frozen=True)
class AdaptProgress:
    """What a watcher is told after every step; `seconds_left` is None before it can be known."""

    step: int
    steps: int
    loss: float
    seconds_left: float | None


@dataclass(frozen=True, eq=False)
class Adapted:
    """A quantized network in evaluation mode, and what became of its layers.

    `quantized` names the layers that are, `left_alone` those that run but are not, with the reason.
    `steps` is how many were made.
    """

    network: nn.Module
    quantized: tuple[str, ...]
    left_alone: dict[str, str]
    steps: int

    @property
    def layers(self) -> int:
        """How many layers run; one that stands in several places counts in each."""
        return len(self.quantized) + len(self.left_alone)

    @property
    def coverage(self) -> str:
        """How many of how many layers are quantized, in words."""
        return f"{len(self.quantized)} of {self.layers} layers quantized"


def adapt(
    network: nn.Module,
    pictures: Sequence[Tensor],
    scheme: Scheme = ON_DEMAND,
    steps: int = STEPS,
    learn_weights: bool = True,
    ends: bool = False,
    seed: int = 0,
    watch: Callable[[AdaptProgress], bool | None] = lambda progress: None,
    side: int = SIDE,
    watch_start: Callable[[str], None] = lambda layer: None,
) -> Adapted:
    """A copy of `network` quantized by `scheme`, adapted to its own full-precision output.

    `pictures` are a handful of inputs, `(1, 3, H, W)` each in [0, 1]; no truth is needed. Every
    convolution and linear layer of the body is quantized, as in QuantSR; with `ends` also the first
    and the last layer and those that enlarge (`quantlib.qat.layers.candidates`). Layer after
    layer starts from data (`quantlib.qat.adapting.start`); then Adam makes the distance to the
    output small, and to what every second layer gives in full precision. Without `learn_weights`
    steps, shifts and biases are learned, else everything. With 0 steps it ends with the start.
    `side` is that of the crops to learn on, in pixels; those to start from are no smaller.

    `watch` hears of every step; if it returns True the result so far is returned. `watch_start`
    hears of every layer that is about to be started. What they raise ends the run. `network` is
    never changed, so it can be in use meanwhile. Pictures or layers that will not do and a loss
    that is not finite raise a `QuantlibError`.

    `packed_state` of the adapted network (its `.network`, for one that `quantlib.models.load`
    gave) makes a file of it. Source: RLQ of QuantSR (Qin et al., NeurIPS 2023); the distance to
    the layers follows the calibration of 2DQuant (Liu et al., NeurIPS 2024).

    >>> layers = [nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1),
    ...           nn.Conv2d(8, 3, 3, padding=1)]
    >>> adapted = adapt(nn.Sequential(*layers), [torch.rand(1, 3, 24, 24)], steps=2)
    >>> adapted.quantized, adapted.left_alone
    (('2',), {'0': 'the first layer', '3': 'the last layer'})
    >>> adapted.coverage
    '1 of 3 layers quantized'
    """
    if steps < 0:
        raise QuantlibError(f"{steps} steps cannot be made; give 0 or more.")
    if side < SMALLEST_SIDE:
        raise QuantlibError(f"Crops have at least {SMALLEST_SIDE} pixels a side, not {side}.")
    if quantized_layers(network):
        raise QuantlibError("This network is quantized already; choose the one it was made of.")
    with torch.inference_mode(False), torch.enable_grad():
        crops = Crops(pictures, seed)
        teacher = structural_copy(network).eval()
        student = copy.deepcopy(network).eval().requires_grad_(False)
        device = next(student.parameters(), torch.empty(0)).device
        batch = crops.batch(START_BATCH, max(START_SIDE, side)).to(device)
        found = candidates(student, batch[:1], ends)
        if not found.layers:
            raise QuantlibError("This network has no layer that could be quantized.")
        quantize_layers(student, dict.fromkeys(found.layers, scheme))
        _start(student, teacher, batch, learn_weights, watch_start)
        made = _learn(student, teacher, crops, side, steps, learn_weights, watch)
        student.requires_grad_(False)
    return Adapted(student, tuple(found.layers), found.left_alone, made)


@torch.no_grad()
def _start(
    student: nn.Module,
    teacher: nn.Module,
    batch: Tensor,
    learn_weights: bool,
    watch: Callable[[str], None],
) -> None:
    """Starts layer after layer, each from what the quantized layers before it give."""
    layers = quantized_layers(student)
    with recorded(teacher, list(layers), sampled_output) as wanted:
        teacher(batch)
    handles = []
    for name, layer in layers.items():

        def begin(
            layer: QuantConv2d | QuantLinear, inputs: tuple[Tensor, ...], name: str = name
        ) -> None:
            if layer.weight_quantizer.initialised:
                return
            watch(name)
            start_scales(layer, inputs[0])
            start_input(layer, scaled(inputs[0], layer.input_scale))
            if learn_weights:
                refit(layer, inputs[0], wanted[name][0])
            start_weight(layer)

        handles.append(layer.register_forward_pre_hook(begin))
    student(batch)
    for handle in handles:
        handle.remove()


def _learn(
    student: nn.Module,
    teacher: nn.Module,
    crops: Crops,
    side: int,
    steps: int,
    learn_weights: bool,
    watch: Callable[[AdaptProgress], bool | None],
) -> int:
    """Up to `steps` updates of `student`; how many were made."""
    groups = learned(student, learn_weights)
    optimiser = torch.optim.Adam(groups, betas=(0.9, 0.99), fused=True)
    rates = [group["lr"] for group in groups]
    names = list(quantized_layers(student))[::EVERY]
    device = groups[0]["params"][0].device
    started = math.nan
    with recorded(teacher, names) as wanted, recorded(student, names) as given:
        for step in range(steps):
            decay = (1 + math.cos(math.pi * step / steps)) / 2 * min(1, (step + 1) / WARMUP)
            for group, rate in zip(optimiser.param_groups, rates, strict=True):
                group["lr"] = rate * decay
            batch = crops.batch(BATCH, side).to(device)
            wanted.clear()
            given.clear()
            with torch.no_grad():
                target = teacher(batch)
            error = (student(batch) - target).square().mean().sqrt()
            gaps = [relative(g, w) for n in names for g, w in zip(given[n], wanted[n], strict=True)]
            loss = error + LAYER_WEIGHT * decay * torch.stack(gaps).mean()
            if not loss.isfinite():
                raise QuantlibError(
                    f"The adaptation lost its way at step {step + 1}; choose more bits."
                )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            now = time.perf_counter()
            if step == 0:
                started = now
            left = (now - started) / step * (steps - step - 1) if step else None
            if watch(AdaptProgress(step + 1, steps, error.item(), left)):
                return step + 1
    return steps


def relative(given: Tensor, wanted: Tensor) -> Tensor:
    """Square distance in units of the square of `wanted`."""
    return (vector_norm(given - wanted) / vector_norm(wanted).clamp_min(1e-6)).square()
