"""Which layers of any network can be quantized, found by running it."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

LAYERS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.Linear)
SIDES = 56, 224  # of the pictures that tell what grows with them, and how much
OWN, ENLARGED = 2 / 3, 4 / 3  # how much what has the picture's size grows at least, and at most


class Candidates(NamedTuple):
    """Names of the layers to quantize, and of those that are not, with the reason."""

    layers: list[str]
    left_alone: dict[str, str]


class _Trace(NamedTuple):
    """Layers in the order of their calls, and what their inputs are like."""

    order: list[nn.Module]
    axes: dict[nn.Module, int]
    sides: dict[nn.Module, float]


def candidates(network: nn.Module, example: Tensor, ends: bool = False) -> Candidates:
    """Splits the layers that run on pictures like `example` `(N, C, H, W)`, in order of execution.

    Without `ends` the body is quantized, as in QuantSR: the layer that runs first is left alone,
    and the last one, and where a network enlarges also the layer before that happens and all that
    follow. A layer enlarges if its input grows more than the first layer's does from a picture of
    56 pixels a side to one of 224, which padding to any multiple below 224 does not do. A layer
    that is called several times counts once. `network` bears hooks for the moment; give a copy of
    one that others use.

    >>> network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ConvTranspose2d(4, 4, 2), nn.Conv2d(4, 3, 3))
    >>> candidates(network, torch.zeros(1, 3, 8, 8), ends=True)
    Candidates(layers=['0', '2'], left_alone={'1': 'a ConvTranspose2d'})
    """
    small, large = (_trace(network, interpolate(example[:1], (side, side))) for side in SIDES)
    names: dict[nn.Module, list[str]] = {layer: [] for layer in small.axes}
    for name, module in network.named_modules(remove_duplicate=False):
        if module in names:
            names[module].append(name)
    result = Candidates([], {})
    outside = {} if ends or not small.order else _ends(small.order, _growths(small, large))
    for layer, dimensions in small.axes.items():
        if layer in outside:
            reason = outside[layer]
        elif len(names[layer]) > 1:
            reason = "it stands in several places"
        else:
            reason = _hindrance(layer, dimensions)
        if reason:
            result.left_alone.update(dict.fromkeys(names[layer], reason))
        else:
            result.layers.extend(names[layer])
    return result


def _trace(network: nn.Module, picture: Tensor) -> _Trace:
    trace = _Trace([], {}, {})

    def note(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        x = inputs[0]
        trace.order.append(layer)
        trace.axes.setdefault(layer, x.dim())
        if x.dim() == 4 and not isinstance(layer, nn.Linear):  # which knows no height and width
            side = math.sqrt(x.shape[-2:].numel())
            trace.sides[layer] = max(side, trace.sides.get(layer, 0.0))

    found = [module for module in network.modules() if isinstance(module, LAYERS)]
    handles = [layer.register_forward_pre_hook(note) for layer in found]
    try:
        with torch.no_grad():
            network(picture)
    finally:
        for handle in handles:
            handle.remove()
    return trace


def _growths(small: _Trace, large: _Trace) -> list[float]:
    """By how much the input of each call of `small` grows, where the first one's grows by 1."""

    def growth(layer: nn.Module) -> float:
        side = small.sides.get(layer, 0.0)
        return large.sides.get(layer, side) - side

    unit = growth(small.order[0]) or 1.0
    return [growth(layer) / unit for layer in small.order]


def _ends(order: list[nn.Module], growths: list[float]) -> dict[nn.Module, str]:
    """The layers around the body, with the reason to leave them alone.

    Where layers of the picture's own size follow on enlarged ones (a shortcut that is enlarged
    before the body runs), those that follow are body again.
    """
    enlarged = [call for call, growth in enumerate(growths) if growth >= ENLARGED]
    own = max((call for call, growth in enumerate(growths) if OWN <= growth < ENLARGED), default=0)
    tail = min((call for call in enlarged if call > own), default=len(order))
    calls = {*(call - 1 for call in enlarged), *enlarged, *range(tail, len(order))}
    reasons = {order[call]: "it enlarges, or comes after" for call in sorted(calls)}
    return {**reasons, order[-1]: "the last layer", order[0]: "the first layer"}


def _hindrance(layer: nn.Module, dimensions: int) -> str:
    """Why a layer cannot be quantized; empty where it can be."""
    kind = nn.Conv2d if isinstance(layer, nn.Conv2d) else nn.Linear
    if type(layer).forward is not kind.forward or "weight" not in layer._parameters:
        return f"a {type(layer).__name__}"
    if (dimensions == 4) != (kind is nn.Conv2d):
        return f"its input has {dimensions} axes"
    return ""
