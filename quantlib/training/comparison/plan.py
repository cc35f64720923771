"""The comparison table: every method and every ablation, trained under identical conditions."""

import json
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from quantlib.errors import QuantlibError
from quantlib.files import check_writable, make_folder, write_whole
from quantlib.qat.scheme import LEARNED
from quantlib.sweeps.engines import Engine
from quantlib.sweeps.kept import Kept
from quantlib.sweeps.sweep import sweep
from quantlib.training.comparison.post_trained import PostTraining
from quantlib.training.comparison.runs import Evaluate, Result, result_from, source_of, unit_of
from quantlib.training.loop import Progress
from quantlib.training.super_resolution.recipe import Recipe, recipe_from
from quantlib.training.super_resolution.run import scheme_of


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
    evaluate: Evaluate,
    seeds: tuple[int, ...] = (),
    watch: Callable[[str, Progress], None] = lambda name, progress: None,
    engine: Engine | None = None,
    kept: Kept | None = None,
    remark: Callable[[str], None] = lambda note: None,
) -> list[Result]:
    """Train what `results` lacks and add it there, run after run; all results of the plan.

    A run that was broken off goes on from its checkpoint. `seeds` limits what is trained now. The
    runs go to `engine`, one after the other where there is none; what is `kept` of them is not
    trained again.
    """
    if missing := [folder for folder in folders if not folder.is_dir()]:
        raise QuantlibError(f"{missing[0]} is not a folder; give --data a folder of photographs.")
    for folder in (checkpoints, results.parent):
        make_folder(folder)
    check_writable(results)
    recipes, known = plan.recipes(), read_results(results)
    photographs = tuple(folder.absolute() for folder in folders)
    source_of(photographs, plan.conditions.scale, plan.conditions.patch)  # or says what is wrong
    units = [
        unit_of(recipe, plan.post_training, photographs, checkpoints.absolute(), evaluate, watch)
        for recipe in recipes
        if recipe.name not in known and (not seeds or recipe.seed in seeds)
    ]
    for name in known:
        (checkpoints / f"{name}.pt").unlink(missing_ok=True)  # killed before it was done with it
    for unit, made in sweep(units, engine, kept, remark):
        _add(results, result_from(unit.name, json.loads(made)))
        (checkpoints / f"{unit.name}.pt").unlink(missing_ok=True)
    known = read_results(results)
    return [known[recipe.name] for recipe in recipes if recipe.name in known]


def read_results(file: Path) -> dict[str, Result]:
    """The results in a JSON file by name; none where there is no file yet."""
    if not file.exists():
        return {}
    try:
        entries = json.loads(file.read_text("utf-8"))
        return {name: result_from(name, entry) for name, entry in entries.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise QuantlibError(
            f"{file} holds no results of a comparison; remove it and train again."
        ) from error


def _add(file: Path, result: Result) -> None:
    known = {**read_results(file), result.name: result}
    entries = {name: one.as_json() for name, one in sorted(known.items())}
    text = json.dumps(entries, indent=1)
    text = re.sub(r"\[[^\[\]{}]*\]", lambda numbers: " ".join(numbers[0].split()), text)
    write_whole(file, (text + "\n").encode())
