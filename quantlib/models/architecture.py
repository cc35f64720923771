"""What the shelf of networks says about each family."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor, nn

from quantlib.models.checkpoint import Checkpoint
from quantlib.models.normalised import Normalised
from quantlib.models.sr_network import SRNetwork
from quantlib.qat.depth import DepthDynamic
from quantlib.qat.scheme import Scheme

Weights = Mapping[str, Tensor]


@dataclass(frozen=True)
class Architecture:
    """A family of networks for one task.

    `name` is what its cards call it, `recognised` what stands in the sentence that lists what
    loads. `recognises` looks at the names and shapes of weights, and `build` makes the network of
    a checkpoint that it recognised; a `QuantlibError` there lets the next family try, any other
    error says that the weights do not fit together. `verify` lets a network that was built see
    pictures; a `QuantlibError` there refuses it. `takes_bits` is whether its files need to be
    told their bits. `training` is None for families that are not trained here.
    """

    name: str
    task: str
    recognises: Callable[[Weights], bool]
    build: Callable[[Checkpoint], "SRNetwork | Normalised"]
    verify: Callable[[Any, str], None] = lambda network, file: None
    recognised: str = ""
    takes_bits: bool = False
    training: "Training | None" = None


@dataclass(frozen=True)
class Training:
    """How a family is trained: `key` names it in recipes.

    `fresh` makes a network with random weights. For super-resolution it is given the recipe, for
    the other tasks the recipe, the number of classes and the side of a classifier's pictures.
    """

    key: str
    fresh: Callable[..., Any]


class Placement(Protocol):
    """What of a recipe decides on the layers that are quantized."""

    @property
    def first_input_quantized(self) -> bool: ...
    @property
    def ends(self) -> str: ...
    @property
    def convolutions(self) -> bool: ...
    @property
    def products(self) -> bool: ...


class Sizes(Protocol):
    """What of a recipe decides on the shape of a network that enlarges pictures."""

    @property
    def scale(self) -> int: ...
    @property
    def features(self) -> int: ...
    @property
    def blocks(self) -> int: ...
    @property
    def group_layers(self) -> int: ...
    @property
    def heads(self) -> int: ...
    @property
    def depths(self) -> bool: ...


@dataclass(frozen=True)
class SRTraining(Training):
    """How a family is trained for super-resolution.

    `schemes` places a scheme on the layers of a network, and `quantized_where` says in words where.
    `depth_dynamic` is what its networks of three depths are called. With `has_attention` recipes
    may quantize `convolutions` and `products`. `guides` names the layers, for so many blocks, whose
    outputs guide the distillation of bounds.
    """

    fresh: Callable[[Sizes], DepthDynamic]
    schemes: Callable[[nn.Module, Scheme, Placement], dict[str, Scheme]]
    quantized_where: Callable[[Placement], str]
    depth_dynamic: str
    has_attention: bool = False
    guides: Callable[[int], list[str]] = lambda blocks: []
