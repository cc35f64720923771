"""8-bit grids for the inputs of layers that no quantizer was learned for."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn

from quantlib.errors import QuantlibError
from quantlib.imaging.samples import PHOTOGRAPHS, load_sample
from quantlib.imaging.tensors import to_tensor
from quantlib.runtime.grids import CodeGrid
from quantlib.runtime.tracing import Node

SIDE = 96


def default_pictures() -> list[Tensor]:
    """What ranges are measured on when nobody names pictures: crops of the sample photographs."""
    return [to_tensor(load_sample(key, SIDE).rgb) for key in PHOTOGRAPHS]


BEYOND = 4.0
"""No picture: a network whose values run away on one must not set ranges by it."""


@torch.inference_mode()
def enlarged_well(network: nn.Module, pictures: Iterable[Tensor]) -> list[Tensor]:
    """The pictures that a super-resolution network makes pictures of, or all if there are none.

    >>> enlarged_well(nn.Identity(), [torch.tensor(0.5), torch.tensor(1e6)])
    [tensor(0.5000)]
    """
    shown = list(pictures)
    return [picture for picture in shown if network(picture).abs().max() < BEYOND] or shown


@torch.inference_mode()
def calibrated_grids(
    network: nn.Module, names: Sequence[str], pictures: Iterable[Tensor]
) -> dict[str, CodeGrid]:
    """256 levels per layer, from the smallest to the largest value of its input on `pictures`.

    One step per tensor, as integer sums need it: a step per channel does not factor out of a
    convolution. `network` bears hooks for the moment; `names` are modules of it.

    >>> layer = nn.Sequential(nn.Conv2d(3, 4, 3))
    >>> calibrated_grids(layer, ["0"], [torch.ones(1, 3, 4, 4)])["0"].qmax
    255
    """
    extremes, handles = _Extremes(), []
    for name in names:

        def note(layer: nn.Module, inputs: tuple[Tensor, ...], name: str = name) -> None:
            extremes.add(name, inputs[0])

        handles.append(network.get_submodule(name).register_forward_pre_hook(note))
    try:
        for picture in pictures:
            network(picture)
    finally:
        for handle in handles:
            handle.remove()
    return extremes.grids()


@torch.inference_mode()
def value_grids(graph: fx.GraphModule, pictures: Iterable[Tensor]) -> dict[Node, CodeGrid]:
    """The same for every tensor that a graph computes on its way, by the node that gives it."""
    run = _Recording(graph)
    for picture in pictures:
        run.run(picture)
    return run.extremes.grids()


class _Extremes:
    """The smallest and the largest value under every key so far."""

    def __init__(self) -> None:
        self.found: dict[Any, tuple[float, float]] = {}

    def add(self, key: Any, x: Tensor) -> None:
        low, high = (float(value) for value in x.aminmax())
        before = self.found.get(key, (low, high))
        self.found[key] = min(low, before[0]), max(high, before[1])

    def grids(self) -> dict[Any, CodeGrid]:
        if not self.found:
            raise QuantlibError("Calibration needs at least one picture.")
        return {key: CodeGrid.over(*ends) for key, ends in self.found.items()}


class _Recording(fx.Interpreter):
    def __init__(self, graph: fx.GraphModule) -> None:
        super().__init__(graph)
        self.extremes = _Extremes()

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        if isinstance(value, Tensor) and n.op not in ("get_attr", "output"):
            self.extremes.add(n, value)
        return value
