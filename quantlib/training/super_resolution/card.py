"""The card of trained weights: what they are, and how they came about."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

from quantlib.files import write_whole
from quantlib.training.super_resolution.recipe import Recipe
from quantlib.training.super_resolution.runcard import RunCard


class Family(NamedTuple):
    """What the networks of a recipe's architecture are called, plain and at three depths."""

    architecture: str
    depth_dynamic: str


FAMILIES = {"edsr": Family("EDSR", "QuantSR-C"), "swinir": Family("SwinIR", "QuantSR-T")}


def card_of(network: nn.Module, recipe: Recipe, weights: Path, run: RunCard) -> dict[str, Any]:
    """The card as it is written beside the weights; measured PSNR is added under `psnr_y`."""
    return {
        "name": recipe.name,
        "title": title_of(recipe),
        "architecture": FAMILIES[recipe.architecture].architecture,
        "scale": recipe.scale,
        "licence": "Apache-2.0",
        "parameters": sum(p.numel() for p in network.parameters()),
        "bytes": weights.stat().st_size,
        "psnr_y": {},
        "training": asdict(run),
    }


def title_of(recipe: Recipe) -> str:
    """What people read in the list of networks.

    >>> title_of(Recipe("r", scale=2, method="rlq", depths=True))
    'QuantSR-C ×2, W4A4 (bundled)'
    """
    family = FAMILIES[recipe.architecture]
    if not recipe.method:
        return f"{family.architecture} ×{recipe.scale} (bundled)"
    learned = f"{family.architecture} with {recipe.method.upper()}"
    name = family.depth_dynamic if recipe.depths else learned
    bits = f"W{recipe.weight_bits}A{recipe.activation_bits}"
    return f"{name} ×{recipe.scale}, {bits} (bundled)"


def write_card(card: dict[str, Any], file: Path) -> None:
    write_whole(file, (json.dumps(card, indent=2, ensure_ascii=False) + "\n").encode())
