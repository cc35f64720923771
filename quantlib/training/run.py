"""A recipe carried out: from photographs to weights with a card."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from quantlib.errors import QuantlibError
from quantlib.models import load
from quantlib.models.edsr import EDSR
from quantlib.training.card import card_of, write_card
from quantlib.training.loop import Progress, train
from quantlib.training.patches import PatchSource
from quantlib.training.recipe import Recipe


def train_recipe(
    recipe: Recipe,
    folders: list[Path],
    out: Path,
    resume: bool = False,
    watch: Callable[[Progress], None] = lambda progress: None,
    validate: Callable[[nn.Module], dict[str, float]] = lambda network: {},
) -> dict[str, Any]:
    """Train on the photographs under `folders`; weights, card and checkpoint go to `out`.

    `validate` gives the PSNR that the card reports, by name of the benchmark.
    """
    if missing := [folder for folder in folders if not folder.is_dir()]:
        raise QuantlibError(f"{missing[0]} is not a folder; give --data a folder of photographs.")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise QuantlibError(
            f"{out} cannot be made: {error.strerror}; choose another --out."
        ) from error
    source = PatchSource(folders, recipe.scale, recipe.patch)
    network = fresh_network(recipe)
    weights, seconds = train(network, source, recipe, out / f"{recipe.name}.pt", resume, watch)
    file = out / f"{recipe.name}.safetensors"
    save_file({name: tensor.contiguous().cpu() for name, tensor in weights.items()}, file)
    network.load_state_dict(weights)
    network.cpu().eval()
    data = f"{len(source.pairs)} photographs: {', '.join(folder.name for folder in folders)}"
    card = card_of(network, recipe, file, data, seconds / 3600)
    card["psnr_y"] = validate(network)
    write_card(card, out / f"{recipe.name}.json")
    return {"weights": str(file), "card": str(out / f"{recipe.name}.json"), **card}


def fresh_network(recipe: Recipe) -> EDSR:
    """The network before its first step: random, or warm-started from `recipe.start`."""
    torch.manual_seed(recipe.seed)
    network = EDSR(recipe.scale, recipe.features, recipe.blocks)
    if not recipe.start:
        return network
    start = load(recipe.start)
    same_scale = start.scale == recipe.scale
    usable = {
        name: tensor
        for name, tensor in start.network.state_dict().items()
        if same_scale or not name.startswith("tail.")
    }
    own = network.state_dict()
    if unfit := [k for k, v in usable.items() if k not in own or own[k].shape != v.shape]:
        raise QuantlibError(
            f"{recipe.start} has another width or depth than recipe {recipe.name} ({unfit[0]}); "
            "change `start`, `features` or `blocks`."
        )
    network.load_state_dict(usable, strict=False)
    return network
