"""The comparison table: every method and every ablation, trained under identical conditions."""

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from torch import nn

from quantlib.errors import QuantlibError
from quantlib.files import check_writable, make_folder, write_whole
from quantlib.qat.scheme import LEARNED
from quantlib.training.comparison.post_trained import POST_TRAINED, PostTraining
from quantlib.training.loop import Progress, train
from quantlib.training.super_resolution.patches import PatchSource
from quantlib.training.super_resolution.recipe import Recipe, recipe_from
from quantlib.training.super_resolution.run import fresh_network, scheme_of
from quantlib.training.super_resolution.runcard import RunCard, card_from

Scores = Mapping[str, list[float]]


@dataclass(frozen=True)
class Plan:
    """What is compared: `conditions` hold for all, the rest is varied.

    Each of `methods` is trained at each of `bits` with each of `seeds`; the 2³ ablation of RLQ (τ,
    φ and the learned step on or off) at `ablation_bits`. `post_training` quantizes the network that
    all start from without training it.
    """

    conditions: Recipe
    methods: tuple[str, ...]
    bits: tuple[int, ...]
    seeds: tuple[int, ...]
    ablation_bits: tuple[int, ...] = ()
    post_training: PostTraining | None = None

    def __post_init__(self) -> None:
        for name in ("methods", "bits", "seeds"):
            if not getattr(self, name):
                raise QuantlibError(f"A comparison needs {name}; name one at least.")
        for recipe in self.trained():
            scheme_of(recipe)
        if self.post_training and not self.conditions.start:
            raise QuantlibError("Quantizing after training needs a trained network; name `start`.")

    def recipes(self) -> list[Recipe]:
        """All runs, those without training first."""
        after = self.post_training
        return [*(after.recipes(self.conditions, self.bits) if after else ()), *self.trained()]

    def trained(self) -> list[Recipe]:
        """The runs that train, by seed; RLQ with all its parts and LSQ serve both tables."""
        made: dict[str, Recipe] = {}
        for seed in self.seeds:
            for bits, method in product(self.bits, self.methods):
                made |= self._one(seed, bits, method=method)
            for bits, (k, shift, learn) in product(
                self.ablation_bits, product((1.0, 0.0), (True, False), (True, False))
            ):
                is_lsq = (k, shift, learn) == (0.0, False, True)
                switches = {"k": k, "use_shift": shift, "learn_step": learn}
                made |= self._one(
                    seed, bits, **({"method": "lsq"} if is_lsq else {"method": "rlq", **switches})
                )
        return list(made.values())

    def _one(self, seed: int, bits: int, **choices: Any) -> dict[str, Recipe]:
        recipe = replace(
            self.conditions, seed=seed, weight_bits=bits, activation_bits=bits, **choices
        )
        parts = [recipe.method, f"w{bits}a{bits}"]
        for part in LEARNED[recipe.method].parts if recipe.method in LEARNED else ():
            if part.slug and not getattr(recipe, part.field):
                parts.append(part.slug)
        name = "-".join([*parts, f"seed{seed}"])
        return {name: replace(recipe, name=name)}


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


def read_plan(file: Path) -> Plan:
    """The plan in a TOML file: a recipe with a table `[compare]`.

    Raises a QuantlibError for a file that is none, and for methods or bits that there are not.
    """
    try:
        values = tomllib.loads(file.read_text("utf-8"))
        compare, after = values.pop("compare"), values.pop("post_training", None)
        lists = {name: _listed(items) for name, items in compare.items()}
        if after:
            after = PostTraining(**{**after, "methods": _listed(after["methods"])})
        return Plan(recipe_from(values, file), **lists, post_training=after)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise QuantlibError(
            f"{file} is no plan of a comparison ({error}); it needs a recipe and a table [compare] "
            "with methods, bits and seeds."
        ) from error


def _listed(items: Any) -> tuple:
    if not isinstance(items, list):
        raise TypeError(f"{items!r} is no list")
    return tuple(items)


def compare(
    plan: Plan,
    folders: list[Path],
    results: Path,
    checkpoints: Path,
    evaluate: Callable[[nn.Module], Scores],
    seeds: tuple[int, ...] = (),
    watch: Callable[[str, Progress], None] = lambda name, progress: None,
) -> list[Result]:
    """Train what `results` lacks and add it there, run after run; all results of the plan.

    A run that was broken off goes on from its checkpoint. `seeds` limits what is trained now.
    """
    if missing := [folder for folder in folders if not folder.is_dir()]:
        raise QuantlibError(f"{missing[0]} is not a folder; give --data a folder of photographs.")
    for folder in (checkpoints, results.parent):
        make_folder(folder)
    check_writable(results)
    recipes = plan.recipes()
    source = PatchSource(folders, plan.conditions.scale, plan.conditions.patch)
    data = f"{len(source.pairs)} photographs: {', '.join(folder.name for folder in folders)}"
    for recipe in recipes:
        checkpoint = checkpoints / f"{recipe.name}.pt"
        if recipe.name in read_results(results):
            checkpoint.unlink(missing_ok=True)  # killed before it was done with it
            continue
        if seeds and recipe.seed not in seeds:
            continue
        if plan.post_training and recipe.method in POST_TRAINED:
            network, run = plan.post_training.carry_out(recipe, source)
        else:
            network, seconds = _train(recipe, source, checkpoint, watch)
            run = RunCard.of(recipe, data, seconds / 3600)
        _add(results, Result(recipe.name, run, evaluate(network.cpu().eval())))
        checkpoint.unlink(missing_ok=True)
    known = read_results(results)
    return [known[recipe.name] for recipe in recipes if recipe.name in known]


def _train(
    recipe: Recipe,
    source: PatchSource,
    checkpoint: Path,
    watch: Callable[[str, Progress], None],
) -> tuple[nn.Module, float]:
    network = fresh_network(recipe)
    weights, seconds = train(
        network, source, recipe, checkpoint, True, lambda progress: watch(recipe.name, progress)
    )
    network.load_state_dict(weights)
    return network, seconds


def read_results(file: Path) -> dict[str, Result]:
    """The results in a JSON file by name; none where there is no file yet."""
    if not file.exists():
        return {}
    try:
        entries = json.loads(file.read_text("utf-8"))
        return {
            name: Result(name, card_from(entry["run"]), _scores(entry["psnr_y"]))
            for name, entry in entries.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise QuantlibError(
            f"{file} holds no results of a comparison; remove it and train again."
        ) from error


def _scores(values: Any) -> Scores:
    scores = {name: [float(psnr) for psnr in psnrs] for name, psnrs in values.items()}
    if not all(scores.values()):
        raise ValueError("a benchmark without pictures")
    return scores


def _add(file: Path, result: Result) -> None:
    known = {**read_results(file), result.name: result}
    entries = {
        name: {"run": asdict(one.run), "psnr_y": one.psnr_y} for name, one in sorted(known.items())
    }
    text = json.dumps(entries, indent=1)
    text = re.sub(r"\[[^\[\]{}]*\]", lambda numbers: " ".join(numbers[0].split()), text)
    write_whole(file, (text + "\n").encode())
