"""A training run for classification or segmentation written down: a TOML file with a `task`."""

import math
import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from quantlib.errors import QuantlibError
from quantlib.models.architectures import trained
from quantlib.training.super_resolution.recipe import require_types

DATA_SETS = {"classification": ("cifar10", "digits"), "segmentation": ("camvid",)}


@dataclass(frozen=True)
class RecognitionRecipe:
    """Everything that decides which weights come out, except the pictures.

    `width` multiplies MobileNetV2's channels, `features` and `blocks` are those of a ResNet and
    `features` of a U-Net. Pictures are flipped and moved by up to `shift` pixels (classification),
    or scaled and cut to `crop` (segmentation), whose loss weighs a class by its rarity to the power
    of `balance`. `teacher` is a classifier whose softened output (`temperature`) the share
    `distillation` of the loss asks for (Hinton et al., arXiv 1503.02531).
    """

    name: str
    task: str
    architecture: str
    data_set: str
    width: float = 1.0
    features: int = 16
    blocks: int = 1
    steps: int = 5000
    batch: int = 128
    shift: int = 4
    flip: bool = True
    crop: int = 256
    balance: float = 0.5
    learning_rate: float = 0.1
    warmup: int = 200
    weight_decay: float = 5e-4
    ema: float = 0.995
    label_smoothing: float = 0.0
    teacher: str = ""
    distillation: float = 0.9
    temperature: float = 4.0
    bfloat16: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[\w.-]+", self.name):
            raise QuantlibError(f"{self.name!r} is no recipe name; use letters, digits, . _ and -.")
        if self.task not in DATA_SETS:
            raise QuantlibError(
                f"task in recipe {self.name} is {self.task!r}; write "
                f"{' or '.join(DATA_SETS)}, or leave it out for super-resolution."
            )
        for name, known in (
            ("architecture", trained(self.task)),
            ("data_set", DATA_SETS[self.task]),
        ):
            if getattr(self, name) not in known:
                raise QuantlibError(
                    f"{name} in recipe {self.name} is {getattr(self, name)!r}; known for "
                    f"{self.task} are {', '.join(known)}."
                )
        above_zero = ("width", "features", "blocks", "steps", "batch", "crop")
        for name in (*above_zero, "learning_rate", "temperature"):
            if not 0 < getattr(self, name) < math.inf:
                raise QuantlibError(f"{name} in recipe {self.name} has to be above zero.")
        for name in ("seed", "warmup", "shift", "weight_decay", "balance"):
            if getattr(self, name) < 0:
                raise QuantlibError(f"{name} in recipe {self.name} must not be below zero.")
        for name in ("ema", "label_smoothing", "distillation"):
            if not 0 <= getattr(self, name) <= 1:
                raise QuantlibError(f"{name} in recipe {self.name} has to lie in [0, 1].")


def recognition_recipe_from(values: Mapping[str, Any], file: Path) -> RecognitionRecipe:
    """The recipe with the `values` that were read from `file`."""
    types = {name: type(default) for name, default in _DEFAULTS.items()}
    require_types(values, types, file)
    for key in ("task", "architecture", "data_set"):
        if key not in values:
            raise QuantlibError(f"{file.name} does not set {key}; see assets/recipes for examples.")
    return RecognitionRecipe(**{"name": file.stem, **values})


_DEFAULTS = {
    field.name: "" if field.default is MISSING else field.default
    for field in fields(RecognitionRecipe)
}
