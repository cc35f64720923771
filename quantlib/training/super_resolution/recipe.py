"""A training run written down: a small TOML file in `assets/recipes/`."""

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from quantlib.errors import QuantlibError
from quantlib.models.architecture import Architecture, SRTraining
from quantlib.models.architectures import trained
from quantlib.models.card import SUPER_RESOLUTION
from quantlib.qat.depth import DEPTHS


@dataclass(frozen=True)
class Recipe:
    """Everything that decides which weights come out, except the pictures.

    `architecture` is the key of a family in `quantlib.models.architectures`, such as edsr or
    swinir, whose `blocks` are residual Swin groups of `group_layers` with `heads` attention heads.
    `start` names the network whose weights it begins with. With `method`
    the two convolutions of every residual block are quantized by it, of a SwinIR the linear layers
    of the Swin blocks, with `convolutions` and `products` also those of the groups and both
    attention products; `k`, `use_shift` and `learn_step` are RLQ's switches,
    `gate` DDTB's. `keep_scale` keeps the scale of the weights that DoReFa publishes without one
    (PACT uses its weights): no batch norm follows here that would restore it.
    `first_input_quantized` and `ends` (fp32 or 8bit) say where. `depths` trains a depth-dynamic
    super-network with learned shortcuts: `plain_steps` at full depth, whose shortcuts give the
    order of the blocks, then the joint loss of the three depths, in which the full one counts
    `full_weight` and the half `half_weight` times what the quarter does; `alone` names one depth
    that is trained by itself instead. `distillation` weighs the L1 distance to the output of the
    network `teacher`.
    """

    name: str
    scale: int
    features: int = 32
    blocks: int = 16
    architecture: str = "edsr"
    group_layers: int = 6
    heads: int = 6
    steps: int = 30000
    batch: int = 16
    patch: int = 32
    learning_rate: float = 5e-4
    warmup: int = 500
    ema: float = 0.999
    seed: int = 0
    start: str = ""
    method: str = ""
    weight_bits: int = 4
    activation_bits: int = 4
    k: float = 1.0
    use_shift: bool = True
    learn_step: bool = True
    gate: bool = True
    keep_scale: bool = True
    first_input_quantized: bool = True
    ends: str = "fp32"
    convolutions: bool = False
    products: bool = False
    depths: bool = False
    plain_steps: int = 0
    full_weight: float = 1.0
    half_weight: float = 1.0
    alone: str = ""
    teacher: str = ""
    distillation: float = 0.0

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[\w.-]+", self.name):
            raise QuantlibError(f"{self.name!r} is no recipe name; use letters, digits, . _ and -.")
        sizes = ("scale", "features", "blocks", "group_layers", "heads", "batch", "patch", "steps")
        for name in (*sizes, "learning_rate", "full_weight", "half_weight"):
            if not 0 < getattr(self, name) < math.inf:
                raise QuantlibError(f"{name} in recipe {self.name} has to be above zero.")
        for name in ("seed", "warmup", "plain_steps", "distillation"):
            if getattr(self, name) < 0:
                raise QuantlibError(f"{name} in recipe {self.name} must not be below zero.")
        if self.alone and not (self.depths and self.alone in DEPTHS):
            raise QuantlibError(
                f"alone in recipe {self.name} names a depth of a network with `depths = true`: "
                f"{', '.join(DEPTHS)}."
            )
        if self.distillation and not self.teacher:
            raise QuantlibError(f"Recipe {self.name} distils; name the network as `teacher`.")
        known = trained(SUPER_RESOLUTION)
        if self.architecture not in known:
            raise QuantlibError(
                f"Recipe {self.name} trains no {self.architecture!r}; choose {' or '.join(known)}."
            )
        if (self.convolutions or self.products) and not self.training.has_attention:
            raise QuantlibError(
                f"convolutions and products in recipe {self.name} belong to a network with "
                "attention, such as swinir; leave them out or set architecture."
            )
        if not 0 <= self.ema < 1:
            raise QuantlibError(f"ema in recipe {self.name} has to lie in [0, 1).")

    @property
    def family(self) -> Architecture:
        """The family of networks that `architecture` names."""
        return trained(SUPER_RESOLUTION)[self.architecture]

    @property
    def training(self) -> SRTraining:
        """What training needs to know of the family."""
        training = self.family.training
        assert isinstance(training, SRTraining)
        return training

    @property
    def bfloat16(self) -> bool:
        """Whether to multiply in bfloat16 where the processor does so natively."""
        return True


def read_recipe(file: Path) -> Recipe:
    """The recipe in a TOML file; its name is the file's unless the file says otherwise."""
    return recipe_from(read_toml(file), file)


def read_toml(file: Path) -> dict[str, Any]:
    """What a recipe's file says, not yet checked."""
    try:
        return tomllib.loads(file.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise QuantlibError(f"The recipe {file} cannot be read: {error}.") from error
    except tomllib.TOMLDecodeError as error:
        raise QuantlibError(f"The recipe {file} is not valid TOML: {error}.") from error


def recipe_from(values: Mapping[str, Any], file: Path) -> Recipe:
    """The recipe with the `values` that were read from `file`."""
    types = {field.name: type(field.default) for field in fields(Recipe)}
    require_types(values, types | {"name": str, "scale": int}, file)
    if "scale" not in values:
        raise QuantlibError(f"{file.name} does not set scale; add for example `scale = 2`.")
    return Recipe(**{"name": file.stem, **values})


def require_types(values: Mapping[str, Any], types: Mapping[str, type], file: Path) -> None:
    """Refuses keys that `types` does not name and values of another type."""
    for key, value in values.items():
        if key not in types:
            raise QuantlibError(f"{file.name} sets {key}; known are {', '.join(types)}.")
        wanted = (int, float) if types[key] is float else types[key]
        if isinstance(value, bool) != (types[key] is bool) or not isinstance(value, wanted):
            raise QuantlibError(f"{key} in {file.name} has to be of type {types[key].__name__}.")
