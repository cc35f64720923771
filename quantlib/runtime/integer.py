"""`--runtime integer`: a network whose layers add up real integers, on the CPU."""

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.models.loading import SRNetwork
from quantlib.models.normalised import Normalised
from quantlib.qat.layers.copying import structural_copy
from quantlib.runtime.calibration import calibrated_grids, default_pictures, enlarged_well
from quantlib.runtime.lowering import LoweredLayer, integer_layer, lower
from quantlib.runtime.tracing import is_layer

THIN = 4  # channels of a picture, and no more than fill a word
ENDS = ("fp32", "int8")
"""What becomes of the layers that no quantizer was learned for."""

Network = TypeVar("Network", SRNetwork, Normalised)


@dataclass(frozen=True, eq=False)
class IntegerNetwork(Generic[Network]):
    """`network` computes with integers where `layers` say so; it is called as it was before."""

    network: Network
    layers: tuple[LoweredLayer, ...]

    def __call__(self, x: Tensor) -> Tensor:
        return self.network(x)

    @property
    def kept(self) -> tuple[LoweredLayer, ...]:
        """The layers that stay in FP32, each with the reason."""
        return tuple(layer for layer in self.layers if not layer.integer)


def integer_network(
    network: Network,
    ends: str = "fp32",
    pictures: Iterable[Tensor] | None = None,
    kernels: bool = True,
) -> IntegerNetwork[Network]:
    """`network`, which stays as it is, on integers.

    With RLQ the layers that were trained with few bits run at those; a network without it gets
    8-bit codes (per-tensor ranges of its inputs on `pictures`, per-channel weights) everywhere but
    in the layer that reads the picture, which costs least in FP32 and most in 8 bits.
    `ends` "int8" does the same with the layers that RLQ left in FP32. `kernels` False computes in
    the plain form.

    >>> import torch
    >>> from quantlib.models.architectures.edsr import EDSR
    >>> edsr = SRNetwork(EDSR(2, features=8, blocks=1), "EDSR", 2)
    >>> made = integer_network(edsr, pictures=[torch.rand(1, 3, 16, 16)])
    >>> len(made.kept), made(torch.rand(1, 3, 8, 8)).shape
    (1, torch.Size([1, 3, 16, 16]))
    """
    if ends not in ENDS:
        raise QuantlibError(f"There is no form {ends!r} of the ends; choose {' or '.join(ENDS)}.")
    if any(parameter.device.type != "cpu" for parameter in network.parameters()):
        raise QuantlibError("Integers run on the CPU only; move the network there.")
    inside = network.network
    layers = {name: layer for name, layer in inside.named_modules() if is_layer(layer)}
    ready = {name for name, layer in layers.items() if integer_layer(name, layer)[1] is not None}
    free = [name for name in layers if name not in ready and not _is_thin(layers[name])]
    grids = {}
    if free and (not ready or ends == "int8"):
        twin = _around(network, structural_copy(inside))
        shown = shown_to(network, pictures)
        found = calibrated_grids(twin, [f"network.{name}" for name in free], shown)
        grids = {name.removeprefix("network."): grid for name, grid in found.items()}
    lowered = lower(inside, grids, kernels)
    return IntegerNetwork(_around(network, lowered.network), lowered.layers)


def _around(network: Network, inside: nn.Module) -> Network:
    """The same with another network inside; it goes by the same name and counts."""
    twin = copy.copy(network)
    twin._modules = {**network._modules, "network": inside}
    return twin


def shown_to(
    network: SRNetwork | Normalised, pictures: Iterable[Tensor] | None
) -> Iterable[Tensor]:
    """What ranges are measured on: `pictures`, or crops of the sample photographs."""
    shown = default_pictures() if pictures is None else pictures
    return enlarged_well(network, shown) if isinstance(network, SRNetwork) else shown


def _is_thin(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Conv2d) and layer.in_channels <= THIN
