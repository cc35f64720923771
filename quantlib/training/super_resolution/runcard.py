"""The run card: everything that a trained result depends on, and what it took."""

import platform
import subprocess
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torchvision

from quantlib.errors import QuantlibError
from quantlib.training.super_resolution.recipe import Recipe
from quantlib.training.together import together

METHOD = {"method", "k", "use_shift", "learn_step", "gate", "keep_scale"}
"""What may differ between results that are ranked."""
PROVENANCE = {"hours", "machine", "processes", "libraries", "commit"}
"""What is on the card without being a condition."""
LATER: dict[str, Any] = {
    **{"alone": "", "full_weight": 1.0, "half_weight": 1.0},
    **{"architecture": "edsr", "group_layers": 6, "heads": 6},
    "processes": 1,
}
"""Lines that older cards lack, with what held when they were written."""


@dataclass(frozen=True)
class RunCard:
    """How a network was trained. `layers` are those whose weights and inputs are quantized.

    `processes` shared every batch.
    """

    method: str
    weight_bits: int
    activation_bits: int
    layers: str
    scale: int
    architecture: str
    features: int
    blocks: int
    group_layers: int
    heads: int
    depths: bool
    plain_steps: int
    full_weight: float
    half_weight: float
    alone: str
    steps: int
    batch: int
    patch: int
    learning_rate: float
    warmup: int
    schedule: str
    optimiser: str
    loss: str
    augmentation: str
    ema: float
    warm_start: str
    teacher: str
    distillation: float
    data: str
    seed: int
    k: float
    use_shift: bool
    learn_step: bool
    gate: bool
    keep_scale: bool
    hours: float
    machine: str
    processes: int
    libraries: Mapping[str, str]
    commit: str

    @classmethod
    def of(cls, recipe: Recipe, data: str, hours: float) -> "RunCard":
        """The card of a run on this machine."""
        values = asdict(recipe)
        shared = {name: values[name] for name in cls.__dataclass_fields__ if name in values}
        return cls(
            **{
                **shared,
                "method": recipe.method or "fp32",
                "layers": quantized_where(recipe),
                "schedule": "linear warm-up, then cosine to zero",
                "optimiser": "Adam",
                "loss": "L1",
                "augmentation": "flips and rotations",
                "warm_start": recipe.start,
                "data": data,
                "hours": round(hours, 3),
                "machine": machine(),
                "processes": together().size,
                "libraries": {"torch": torch.__version__, "torchvision": torchvision.__version__},
                "commit": commit(),
            }
        )

    @property
    def summary(self) -> str:
        """Iterations × batch × patch, as they stand on the card."""
        return f"{self.steps:,} steps × {self.batch} × {self.patch}²"


def require_comparable(cards: Sequence[RunCard], besides: Collection[str] = ()) -> None:
    """Refuses to rank results whose cards differ in anything but the method.

    Lines named in `besides` may differ too. Raises a QuantlibError that names the first line that
    may not and does.
    """
    free = METHOD | PROVENANCE | set(besides)
    for other in cards[1:]:
        for name in RunCard.__dataclass_fields__:
            if name in free:
                continue
            one, two = getattr(cards[0], name), getattr(other, name)
            if one != two:
                raise QuantlibError(
                    f"These results cannot be ranked: {name} is {one!r} for {cards[0].method} and "
                    f"{two!r} for {other.method}; train both under the same conditions."
                )


def agreed(cards: Sequence[RunCard]) -> dict[str, Any]:
    """The lines on which all cards agree, in the order of the card."""
    first = asdict(cards[0])
    return {
        name: value
        for name, value in first.items()
        if all(getattr(card, name) == value for card in cards)
    }


def quantized_where(recipe: Recipe) -> str:
    """The quantized layers of a recipe's network, in words."""
    return recipe.training.quantized_where(recipe) if recipe.method else "none"


def machine() -> str:
    """Processor architecture and threads, or the name of the accelerator."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"{platform.machine()}, {torch.get_num_threads()} threads"


def commit() -> str:
    """The commit of the code, or nothing outside a repository."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return ""
    return found.stdout.strip()


def card_from(values: Mapping[str, Any]) -> RunCard:
    """A run card as it was read from a file."""
    try:
        return RunCard(**{**LATER, **values})
    except TypeError as error:
        raise QuantlibError(f"This is no run card: {error}; train the result again.") from error
