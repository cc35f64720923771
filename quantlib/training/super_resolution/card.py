"""The card of weights that were trained for super-resolution."""

from dataclasses import asdict
from pathlib import Path

from torch import nn

from quantlib.models.card import NetworkCard
from quantlib.training.super_resolution.recipe import Recipe
from quantlib.training.super_resolution.runcard import RunCard


def card_of(network: nn.Module, recipe: Recipe, weights: Path, run: RunCard) -> NetworkCard:
    """The card of `network`, whose weights are in the file `weights`, without what is measured."""
    return NetworkCard(
        recipe.family.name,
        recipe.name,
        title_of(recipe),
        scale=recipe.scale,
        licence="Apache-2.0",
        parameters=sum(p.numel() for p in network.parameters()),
        bytes=weights.stat().st_size,
        training=asdict(run),
    )


def title_of(recipe: Recipe) -> str:
    """What people read in the list of networks.

    >>> title_of(Recipe("r", scale=2, method="rlq", depths=True))
    'QuantSR-C ×2, W4A4 (bundled)'
    """
    family = recipe.family.name
    if not recipe.method:
        return f"{family} ×{recipe.scale} (bundled)"
    learned = f"{family} with {recipe.method.upper()}"
    name = recipe.training.depth_dynamic if recipe.depths else learned
    bits = f"W{recipe.weight_bits}A{recipe.activation_bits}"
    return f"{name} ×{recipe.scale}, {bits} (bundled)"
