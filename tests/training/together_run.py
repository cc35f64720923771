"""A little training, alone or as one of several processes: what test_together starts."""

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.qat.fused import uncompiled
from quantlib.training.loop import train
from quantlib.training.super_resolution.patches import PatchSource
from quantlib.training.super_resolution.recipe import Recipe
from quantlib.training.super_resolution.run import fresh_network
from quantlib.training.together import joined

PLAIN = Recipe(
    *("plain", 2),
    features=8,
    blocks=4,
    steps=1,
    batch=4,
    patch=12,
    warmup=1,
    learning_rate=0.01,
    ema=0.9,
    method="rlq",
)
RECIPES = {
    "plain": PLAIN,
    "joint": replace(PLAIN, name="joint", depths=True, full_weight=3.0),
    "lsq": replace(PLAIN, name="lsq", method="lsq", weight_bits=2, activation_bits=2),
}
LONG = replace(RECIPES["joint"], name="long", steps=12, plain_steps=4)
HALT = 8
"""Before this step a long training waits until there is a file `go`."""


class Plain(torch.optim.SGD):
    """Keeps the gradients of its last step. (Adam makes much of the last digit of small ones.)"""

    def __init__(self, learned: list[nn.Parameter], rate: float) -> None:
        super().__init__(learned, rate)
        self.learned = learned
        made.append(self)

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        self.gradients = [None if p.grad is None else p.grad.clone() for p in self.learned]
        super().step(closure)


made: list[Plain] = []


class Halting:
    """Batches that are waited for."""

    def __init__(self, source: PatchSource, folder: Path) -> None:
        self.source, self.folder = source, folder

    def batch(self, size: int, seed: int, step: int) -> tuple[Tensor, Tensor]:
        if step >= HALT and not (self.folder / "go").exists():
            (self.folder / f"halted-{os.getpid()}").touch()
            while not (self.folder / "go").exists():
                time.sleep(0.02)
        return self.source.batch(size, seed, step)


def gradients(photographs: Path, folder: Path) -> dict[str, list[Tensor | None]]:
    """Those of the first step of every recipe, by parameter."""
    found = {}
    for name, recipe in RECIPES.items():
        network, source = fresh_network(recipe), PatchSource([photographs], 2, recipe.patch)
        train(network, source, recipe, folder / f"{name}.pt", optimiser_of=Plain)
        found[name] = made[-1].gradients
    return found


def long_training(photographs: Path, folder: Path) -> dict[str, Tensor]:
    """The moving average at the end of a training that goes on where it was broken off."""
    source = Halting(PatchSource([photographs], 2, LONG.patch), folder)
    checkpoint = folder / "long.pt"
    network = fresh_network(LONG)
    average, _ = train(network, source, LONG, checkpoint, True, save_every=3, optimiser_of=Plain)
    return average


def alone(work, photographs: Path, folder: Path):
    """`work` as a process by itself does it, in FP32."""
    Recipe.bfloat16 = property(lambda recipe: False)  # type: ignore[assignment]
    with uncompiled():
        return work(photographs, folder)


if __name__ == "__main__":
    torch.set_num_threads(1)
    name, photographs, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    try:
        with joined() as processes:
            result = alone(globals()[name], photographs, folder)
            if processes.is_first:
                torch.save(result, folder / "result.pt")
    except QuantlibError as error:
        sys.exit(str(error))
