"""8-bit grids for the inputs of layers that no quantizer was learned for."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.imaging.samples import PHOTOGRAPHS, load_sample
from quantlib.imaging.tensors import to_tensor
from quantlib.runtime.grids import CodeGrid

SIDE = 96


def default_pictures() -> list[Tensor]:
    """What ranges are measured on when nobody names pictures: crops of the sample photographs."""
    return [to_tensor(load_sample(key, SIDE).rgb) for key in PHOTOGRAPHS]


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
    extremes: dict[str, tuple[float, float]] = {}
    handles = []
    for name in names:

        def note(layer: nn.Module, inputs: tuple[Tensor, ...], name: str = name) -> None:
            low, high = (float(value) for value in inputs[0].aminmax())
            before = extremes.get(name, (low, high))
            extremes[name] = min(low, before[0]), max(high, before[1])

        handles.append(network.get_submodule(name).register_forward_pre_hook(note))
    seen = False
    try:
        for picture in pictures:
            network(picture)
            seen = True
    finally:
        for handle in handles:
            handle.remove()
    if not seen:
        raise QuantlibError("Calibration needs at least one picture.")
    return {name: CodeGrid.over(*found) for name, found in extremes.items()}
