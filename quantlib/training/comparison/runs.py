"""One run of a comparison: as a unit of a sweep, and what came out of it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from torch import nn

from quantlib.sweeps.contents import Content, Files, Weights
from quantlib.sweeps.unit import Unit
from quantlib.training.comparison.post_trained import POST_TRAINED, PostTraining
from quantlib.training.loop import Progress, train
from quantlib.training.super_resolution.benchmarks import Scorer
from quantlib.training.super_resolution.patches import PatchSource
from quantlib.training.super_resolution.recipe import Recipe
from quantlib.training.super_resolution.run import fresh_network
from quantlib.training.super_resolution.runcard import RunCard, card_from

Scores = Mapping[str, list[float]]
Evaluate = Callable[[nn.Module], Scores]
Watch = Callable[[str, Progress], None]


@dataclass(frozen=True)
class Result:
    """PSNR in dB of every picture of every benchmark, after one run."""

    name: str
    run: RunCard
    psnr_y: Scores

    @property
    def pictures(self) -> dict[str, int]:
        """How many pictures of each benchmark were measured."""
        return {benchmark: len(scores) for benchmark, scores in self.psnr_y.items()}

    def mean(self, benchmark: str) -> float:
        scores = self.psnr_y[benchmark]
        return sum(scores) / len(scores)

    def as_json(self) -> dict[str, Any]:
        return {"run": asdict(self.run), "psnr_y": self.psnr_y}


def result_from(name: str, entry: Mapping[str, Any]) -> Result:
    """What `as_json` made; ValueError, KeyError, TypeError or AttributeError for anything else."""
    scores = {one: [float(psnr) for psnr in psnrs] for one, psnrs in entry["psnr_y"].items()}
    if not all(scores.values()):
        raise ValueError("a benchmark without pictures")
    return Result(name, card_from(entry["run"]), scores)


def unit_of(
    recipe: Recipe,
    after: PostTraining | None,
    folders: tuple[Path, ...],
    checkpoints: Path,
    evaluate: Evaluate,
    watch: Watch,
) -> Unit:
    """The run of `recipe`, whose result `result_from` reads."""
    networks = [Weights.of(name) for name in (recipe.start, recipe.teacher) if name]
    measured_on: tuple[Content, ...] = evaluate.contents if isinstance(evaluate, Scorer) else ()
    contents = (*networks, *map(Files.at, folders), *measured_on)
    given = recipe, after, tuple(folder.name for folder in folders), evaluate
    return Unit(recipe.name, _work, given, (folders, checkpoints, watch), contents)


@lru_cache(maxsize=1)
def source_of(folders: tuple[Path, ...], scale: int, patch: int) -> PatchSource:
    """The photographs, read once in this process."""
    return PatchSource([*folders], scale, patch)


def _work(
    recipe: Recipe,
    after: PostTraining | None,
    names: tuple[str, ...],
    evaluate: Evaluate,
    folders: tuple[Path, ...],
    checkpoints: Path,
    watch: Watch,
) -> bytes:
    source = source_of(folders, recipe.scale, recipe.patch)
    if after and recipe.method in POST_TRAINED:
        network, run = after.carry_out(recipe, source)
    else:
        network, seconds = _train(recipe, source, checkpoints, watch)
        data = f"{len(source.pairs)} photographs: {', '.join(names)}"
        run = RunCard.of(recipe, data, seconds / 3600)
    result = Result(recipe.name, run, evaluate(network.cpu().eval()))
    return json.dumps(result.as_json()).encode()


def _train(
    recipe: Recipe,
    source: PatchSource,
    checkpoints: Path,
    watch: Watch,
) -> tuple[nn.Module, float]:
    network = fresh_network(recipe)
    checkpoint = checkpoints / f"{recipe.name}.pt"
    weights, seconds = train(
        network, source, recipe, checkpoint, True, lambda progress: watch(recipe.name, progress)
    )
    network.load_state_dict(weights)
    return network, seconds
