"""The card of trained weights: what they are, and how they came about."""

import json
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from quantlib.training.recipe import Recipe


def card_of(
    network: nn.Module, recipe: Recipe, weights: Path, data: str, hours: float
) -> dict[str, Any]:
    """The card as it is written beside the weights; measured PSNR is added under `psnr_y`."""
    return {
        "name": recipe.name,
        "title": f"EDSR ×{recipe.scale} (bundled)",
        "architecture": "EDSR",
        "scale": recipe.scale,
        "licence": "Apache-2.0",
        "parameters": sum(p.numel() for p in network.parameters()),
        "bytes": weights.stat().st_size,
        "psnr_y": {},
        "training": {
            **asdict(recipe),
            "loss": "L1",
            "optimiser": "Adam",
            "schedule": "linear warm-up, then cosine to zero",
            "augmentation": "flips and rotations",
            "data": data,
            "hours": round(hours, 2),
            "machine": f"{platform.machine()}, {torch.get_num_threads()} threads",
            "torch": torch.__version__,
        },
    }


def write_card(card: dict[str, Any], file: Path) -> None:
    file.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n")
