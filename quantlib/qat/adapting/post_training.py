"""Quantizers found after training, from a handful of pictures, and 2DQuant's second stage."""

import copy
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss, mse_loss

from quantlib.errors import QuantlibError
from quantlib.qat.bounds import Bounds
from quantlib.qat.layers.recording import recorded
from quantlib.qat.noisy import NoisyInput
from quantlib.qat.quantizer import LearnedQuantizer
from quantlib.qat.scheme import Scheme, quantize_layers, quantized_layers

CROPS, SIDE, BATCH = 16, 64, 4
RATE, BETAS = 1e-2, (0.9, 0.99)
FEATURE_WEIGHT = 5.0

Watch = Callable[[int, int], None]


def calibrated(
    network: nn.Module, schemes: Mapping[str, Scheme], pictures: Sequence[Tensor], seed: int = 0
) -> nn.Module:
    """A copy of `network` with quantized layers whose ranges come from its full-precision run.

    `schemes` names the layers; `pictures` are inputs `(1, 3, H, W)` in [0, 1], of which `CROPS`
    random crops of `SIDE` pixels, or the whole of smaller ones, are looked at. `network` is never
    changed. Raises a QuantlibError without pictures.

    >>> network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 3, 3))
    >>> made = calibrated(network, {"1": Scheme("minmax", 8, 8)}, [torch.rand(1, 3, 16, 16)])
    >>> made[1].activation.initialised, type(network[1]).__name__
    (True, 'Conv2d')
    """
    with torch.inference_mode(False), torch.no_grad():
        student = copy.deepcopy(network).eval().requires_grad_(False)
        quantize_layers(student, dict(schemes))
        handles = [
            layer.register_forward_pre_hook(_search_noise)
            for layer in quantized_layers(student).values()
            if isinstance(layer.activation, NoisyInput)
        ]
        quantizers = [m for m in student.modules() if isinstance(m, LearnedQuantizer)]
        handles += [
            quantizer.register_forward_hook(lambda quantizer, inputs, levels: inputs[0])
            for quantizer in quantizers
        ]
        random = torch.Generator().manual_seed(seed)
        student(_crops(pictures, CROPS, random))
        for handle in handles:
            handle.remove()
    return student


def distil_bounds(
    student: nn.Module,
    teacher: nn.Module,
    pictures: Sequence[Tensor],
    guides: Sequence[str],
    steps: int = 300,
    seed: int = 0,
    watch: Watch = lambda done, total: None,
) -> None:
    """Learns the bounds of `student`, and nothing else, from the output of `teacher`.

    L1 distance of the outputs, and `FEATURE_WEIGHT` times the mean square distance of what the
    layers `guides` give, each in units of its norm; Adam at `RATE` (2DQuant, section 3.3: 4,000
    steps of 16 patches). What `watch` raises ends the run.
    """
    pairs = [
        bound
        for module in student.modules()
        if isinstance(module, Bounds)
        for bound in (module.raw_lower, module.raw_upper)
    ]
    if not pairs:
        raise QuantlibError("This network has no bounds to learn; calibrate it with dobi first.")
    random = torch.Generator().manual_seed(seed + 1)
    with torch.inference_mode(False), torch.enable_grad():
        for bound in pairs:
            bound.requires_grad_(True)
        optimiser = torch.optim.Adam(pairs, RATE, BETAS, fused=True)
        with recorded(teacher, guides) as wanted, recorded(student, guides) as given:
            for step in range(steps):
                watch(step, steps)
                batch = _crops(pictures, BATCH, random)
                wanted.clear()
                given.clear()
                with torch.no_grad():
                    target = teacher(batch)
                loss = l1_loss(student(batch), target)
                for name in guides:
                    loss = loss + FEATURE_WEIGHT * _distance(given[name][0], wanted[name][0])
                if not loss.isfinite():
                    raise QuantlibError("The bounds lost their way; choose more bits.")
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
        student.requires_grad_(False)
    watch(steps, steps)


def _search_noise(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    if isinstance(layer.activation, NoisyInput) and not layer.activation.initialised:
        layer.activation.search(inputs[0], layer.weight)  # type: ignore[arg-type]


def _distance(given: Tensor, wanted: Tensor) -> Tensor:
    return mse_loss(_normalised(given), _normalised(wanted))


def _normalised(x: Tensor) -> Tensor:
    """Each image in units of its own norm, which is no part of what is learned."""
    norm = x.detach().flatten(1).norm(dim=1).clamp_min(1e-6)
    return x / norm.view(-1, *[1] * (x.dim() - 1))


def _crops(pictures: Sequence[Tensor], count: int, random: torch.Generator) -> Tensor:
    """`count` random crops, equally large, one picture after the other."""
    if not pictures:
        raise QuantlibError("Calibration needs at least one picture.")
    side = min(SIDE, *(min(picture.shape[-2:]) for picture in pictures))
    crops = []
    for number in range(count):
        picture = pictures[number % len(pictures)]
        top, left = (
            int(torch.randint(length - side + 1, (), generator=random))
            for length in picture.shape[-2:]
        )
        crops.append(picture[..., top : top + side, left : left + side])
    return torch.cat(crops).clone()
