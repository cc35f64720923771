"""Which layers of any network can be quantized, found by running it."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

LAYERS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.Linear)


class Candidates(NamedTuple):
    """Names of the layers to quantize, and of those that are not, with the reason."""

    layers: list[str]
    left_alone: dict[str, str]


def candidates(network: nn.Module, example: Tensor, ends: bool = False) -> Candidates:
    """Splits the layers that run on `example` `(N, C, H, W)`, in the order in which they run.

    Without `ends` the body is quantized, as in QuantSR: the layer that runs first is left alone,
    and the last one, and where a network enlarges also the layer before that happens and all that
    follow. A layer that is called several times counts once. `network` bears hooks for the moment;
    give a copy of one that others use.

    >>> network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ConvTranspose2d(4, 4, 2), nn.Conv2d(4, 3, 3))
    >>> candidates(network, torch.zeros(1, 3, 8, 8), ends=True)
    Candidates(layers=['0', '2'], left_alone={'1': 'a ConvTranspose2d'})
    """
    axes: dict[nn.Module, int] = {}
    order: list[nn.Module] = []
    areas: list[int] = []

    def note(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        x = inputs[0]
        axes.setdefault(layer, x.dim())
        order.append(layer)
        areas.append(x.shape[-2:].numel() if x.dim() == 4 else 0)

    found = [module for module in network.modules() if isinstance(module, LAYERS)]
    handles = [layer.register_forward_pre_hook(note) for layer in found]
    try:
        with torch.no_grad():
            network(example)
    finally:
        for handle in handles:
            handle.remove()
    names: dict[nn.Module, list[str]] = {layer: [] for layer in axes}
    for name, module in network.named_modules(remove_duplicate=False):
        if module in names:
            names[module].append(name)
    result = Candidates([], {})
    outside = {} if ends else _ends(order, areas)
    for layer, dimensions in axes.items():
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


def _ends(order: list[nn.Module], areas: list[int]) -> dict[nn.Module, str]:
    """The layers around the body, with the reason to leave them alone."""
    enlarged = next((i for i, area in enumerate(areas) if area > areas[0]), len(order))
    reasons = dict.fromkeys(order[max(enlarged - 1, 1) :], "it enlarges, or comes after")
    return {**reasons, order[-1]: "the last layer", order[0]: "the first layer"}


def _hindrance(layer: nn.Module, dimensions: int) -> str:
    """Why a layer cannot be quantized; empty where it can be."""
    kind = nn.Conv2d if isinstance(layer, nn.Conv2d) else nn.Linear
    if type(layer).forward is not kind.forward or "weight" not in layer._parameters:
        return f"a {type(layer).__name__}"
    if (dimensions == 4) != (kind is nn.Conv2d):
        return f"its input has {dimensions} axes"
    return ""
