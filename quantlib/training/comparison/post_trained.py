"""Rivals that quantize a trained network in minutes, as runs of a comparison."""

import time
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.models import load
from quantlib.qat.adapting.post_training import BATCH, CROPS, RATE, SIDE, calibrated, distil_bounds
from quantlib.qat.scheme import POST_TRAINING
from quantlib.training.super_resolution.patches import PatchSource
from quantlib.training.super_resolution.recipe import Recipe
from quantlib.training.super_resolution.run import schemes_of
from quantlib.training.super_resolution.runcard import RunCard

TWO_STAGE = "2dquant"
POST_TRAINED = (*POST_TRAINING, TWO_STAGE)


@dataclass(frozen=True)
class PostTraining:
    """Which `methods` are calibrated on how many `pictures`, and how long bounds are distilled.

    "2dquant" is the two-stage method: bounds searched by DOBI, then learned for `bound_steps`.
    """

    methods: tuple[str, ...]
    pictures: int = 8
    bound_steps: int = 300

    def __post_init__(self) -> None:
        if unknown := [method for method in self.methods if method not in POST_TRAINED]:
            raise QuantlibError(
                f"There is no post-training method {unknown[0]!r}; choose "
                f"{', '.join(POST_TRAINED)}."
            )
        if self.pictures < 1 or self.bound_steps < 1:
            raise QuantlibError("Calibration takes 1 picture or more, distillation 1 step or more.")

    def recipes(self, conditions: Recipe, bits: tuple[int, ...]) -> list[Recipe]:
        """A run for each method at each of `bits`, in the place of `conditions`' own method."""
        return [
            replace(
                conditions,
                name=f"{method}-w{b}a{b}",
                method=method,
                weight_bits=b,
                activation_bits=b,
                steps=self.bound_steps,
            )
            for b in bits
            for method in self.methods
        ]

    def carry_out(self, recipe: Recipe, source: PatchSource) -> tuple[nn.Module, RunCard]:
        """The network that `recipe` starts from, quantized by its method, and the run's card."""
        teacher = load(recipe.start).network
        pictures = self._spread(source)
        is_two_stage = recipe.method == TWO_STAGE
        found_by = replace(recipe, method="dobi") if is_two_stage else recipe
        started = time.perf_counter()
        student = calibrated(teacher, schemes_of(found_by, teacher), pictures, recipe.seed)
        if is_two_stage:
            guides = recipe.training.guides(recipe.blocks)
            distil_bounds(student, teacher, pictures, guides, self.bound_steps, recipe.seed)
        hours = (time.perf_counter() - started) / 3600
        return student, self._card(recipe, f"{len(pictures)} photographs", hours)

    def _spread(self, source: PatchSource) -> list[Tensor]:
        """Low-resolution pictures at even distances in the order of their files."""
        chosen = source.pairs[:: -(-len(source.pairs) // self.pictures)]
        return [torch.from_numpy(low).permute(2, 0, 1)[None].float() / 255 for low, _ in chosen]

    def _card(self, recipe: Recipe, data: str, hours: float) -> RunCard:
        learns = recipe.method == TWO_STAGE
        distance = "bounds alone: L1 and normalised features, distance to full precision"
        return replace(
            RunCard.of(recipe, data, hours),
            steps=self.bound_steps if learns else 0,
            batch=BATCH if learns else CROPS,
            patch=SIDE,
            learning_rate=RATE if learns else 0.0,
            warmup=0,
            schedule="constant" if learns else "none",
            optimiser="Adam" if learns else "none",
            loss=distance if learns else "none: ranges from one calibration pass",
            augmentation="none",
            ema=0.0,
        )
