"""A recipe carried out: from photographs to weights with a card."""

import re
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import nn

from quantlib.errors import QuantlibError
from quantlib.files import check_writable, make_folder, write_whole
from quantlib.models import SRNetwork, load
from quantlib.qat.depth import DEPTHS, DepthDynamic
from quantlib.qat.layers.packing import packed_state
from quantlib.qat.scheme import Scheme, quantize_layers
from quantlib.training.loop import Progress, train
from quantlib.training.super_resolution.card import card_of
from quantlib.training.super_resolution.held_out import HeldOut
from quantlib.training.super_resolution.patches import PatchSource
from quantlib.training.super_resolution.recipe import Recipe
from quantlib.training.super_resolution.runcard import RunCard
from quantlib.training.together import together

ON_DEMAND = {"scale_channels"}  # what recipes do not train with


def train_recipe(
    recipe: Recipe,
    folders: list[Path],
    out: Path,
    resume: bool = False,
    watch: Callable[[Progress], None] = lambda progress: None,
    validate: Callable[[nn.Module], dict[str, Any]] = lambda network: {},
) -> dict[str, Any]:
    """Train on the photographs under `folders`; weights, card and checkpoint go to `out`.

    The watcher is told the PSNR on a held-out sample photograph; `validate` gives the PSNR that
    the card reports, by name of the benchmark, and is asked for every depth. Of processes that
    train together only the first writes and reports.
    """
    if missing := [folder for folder in folders if not folder.is_dir()]:
        raise QuantlibError(f"{missing[0]} is not a folder; give --data a folder of photographs.")
    file = out / f"{recipe.name}.safetensors"
    make_folder(out)
    check_writable(file)
    source = PatchSource(folders, recipe.scale, recipe.patch)
    network = fresh_network(recipe)
    teacher = load(recipe.teacher).network if recipe.teacher else None
    checkpoint = out / f"{recipe.name}.pt"
    judge = HeldOut(recipe.scale)
    weights, seconds = train(network, source, recipe, checkpoint, resume, watch, judge, teacher)
    if not together().is_first:
        return {}
    network.load_state_dict(weights)
    network.cpu().eval()
    tensors, metadata = packed_state(network)
    write_whole(file, save(tensors, metadata))
    data = f"{len(source.pairs)} photographs: {', '.join(folder.name for folder in folders)}"
    run = RunCard.of(recipe, data, seconds / 3600)
    depths = ([recipe.alone] if recipe.alone else DEPTHS) if network.has_depths else ()
    card = replace(
        card_of(network, recipe, file, run),
        psnr_y=validate(network.at_depth(recipe.alone or "full")),
        depths={depth: validate(network.at_depth(depth)) for depth in depths},
    )
    card.write(out / f"{recipe.name}.json")
    return {"weights": str(file), "card": str(out / f"{recipe.name}.json"), **card.as_json()}


def fresh_network(recipe: Recipe) -> DepthDynamic:
    """The network before its first step: random, or warm-started from `recipe.start`."""
    torch.manual_seed(recipe.seed)
    network = recipe.training.fresh(recipe)
    start = load(recipe.start) if recipe.start else None
    if start is not None:
        _begin_with(network, start, recipe)
    if recipe.method:
        quantize_layers(network, schemes_of(recipe, network))
        if start is not None:
            shifts = {k: v for k, v in start.network.state_dict().items() if k.endswith(".shift")}
            known = network.state_dict().keys() & shifts.keys()
            network.load_state_dict({name: shifts[name] for name in known}, strict=False)
    return network


def scheme_of(recipe: Recipe) -> Scheme:
    """How a recipe quantizes the layers of the blocks."""
    values = asdict(recipe)
    return Scheme(**{name: values[name] for name in Scheme.__dataclass_fields__.keys() - ON_DEMAND})


def schemes_of(recipe: Recipe, network: nn.Module) -> dict[str, Scheme]:
    """The layers of `network` that a recipe quantizes, with the scheme of each."""
    return recipe.training.schemes(network, scheme_of(recipe), recipe)


def _begin_with(network: DepthDynamic, start: SRNetwork, recipe: Recipe) -> None:
    same_scale = start.scale == recipe.scale
    own = network.state_dict()
    usable = {
        name: tensor
        for name, tensor in start.network.state_dict().items()
        if (same_scale or not name.startswith(("tail.", "upsample.")))
        and not re.search(r"\.(activation|weight_quantizer)\.", name)
        and (name in own or not name.endswith(("shortcut", "block_order")))
    }
    if unfit := [k for k, v in usable.items() if k not in own or own[k].shape != v.shape]:
        raise QuantlibError(
            f"{recipe.start} has another width or depth than recipe {recipe.name} ({unfit[0]}); "
            "change `start`, `features` or `blocks`."
        )
    network.load_state_dict(usable, strict=False)
