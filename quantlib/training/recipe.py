"""A training run written down: a small TOML file in `assets/recipes/`."""

import math
import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from quantlib.errors import QuantlibError


@dataclass(frozen=True)
class Recipe:
    """Everything that decides which weights come out, except the pictures."""

    name: str
    scale: int
    features: int = 32
    blocks: int = 16
    steps: int = 30000
    batch: int = 16
    patch: int = 32
    learning_rate: float = 5e-4
    warmup: int = 500
    ema: float = 0.999
    seed: int = 0
    start: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[\w.-]+", self.name):
            raise QuantlibError(f"{self.name!r} is no recipe name; use letters, digits, . _ and -.")
        for name in ("scale", "features", "blocks", "steps", "batch", "patch", "learning_rate"):
            if not 0 < getattr(self, name) < math.inf:
                raise QuantlibError(f"{name} in recipe {self.name} has to be above zero.")
        for name in ("seed", "warmup"):
            if getattr(self, name) < 0:
                raise QuantlibError(f"{name} in recipe {self.name} must not be below zero.")
        if not 0 <= self.ema < 1:
            raise QuantlibError(f"ema in recipe {self.name} has to lie in [0, 1).")


def read_recipe(file: Path) -> Recipe:
    """The recipe in a TOML file; its name is the file's unless the file says otherwise."""
    try:
        values = tomllib.loads(file.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise QuantlibError(f"The recipe {file} cannot be read: {error}.") from error
    except tomllib.TOMLDecodeError as error:
        raise QuantlibError(f"The recipe {file} is not valid TOML: {error}.") from error
    types = {field.name: type(field.default) for field in fields(Recipe)}
    types |= {"name": str, "scale": int}
    for key, value in values.items():
        if key not in types:
            raise QuantlibError(f"{file.name} sets {key}; known are {', '.join(types)}.")
        wanted = (int, float) if types[key] is float else types[key]
        if isinstance(value, bool) or not isinstance(value, wanted):
            raise QuantlibError(f"{key} in {file.name} has to be of type {types[key].__name__}.")
    if "scale" not in values:
        raise QuantlibError(f"{file.name} does not set scale; add for example `scale = 2`.")
    return Recipe(**{"name": file.stem, **values})
