"""Trials that share what is costly to find out, as one unit of a sweep."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from quantlib.ablation.plan import INVERSE, PAPER, Trial
from quantlib.ablation.points import Point
from quantlib.importance import Ranking, rank
from quantlib.importance.preparing import prepare, steps_for
from quantlib.sweeps.unit import Unit
from quantlib.tasks.bench import Bench, BenchPlan

Group = tuple[Trial, ...]
Carried = tuple[list[Point], dict[str, list[int]]]


def groups(trials: Sequence[Trial]) -> Iterator[Group]:
    """Trials of one bench, method and seed together."""
    found: dict[tuple[str, str, int], list[Trial]] = {}
    for trial in trials:
        found.setdefault((trial.bench, trial.method, trial.seed), []).append(trial)
    yield from map(tuple, found.values())


def unit_of(group: Group, plan: BenchPlan, folder: Path) -> Unit:
    """What `carried` reads the points of, and the order that DQA used.

    Raises a QuantlibError where the network is not there.
    """
    name, place = f"{group[0].bench}, {group[0].method}", folder.absolute()
    return Unit(name, _work, (group, plan), (place,), plan.contents(place))


def carried(content: bytes) -> Carried:
    """The result of a unit of `unit_of`."""
    values = json.loads(content)
    return [Point(**entry) for entry in values["points"]], values["orders"]


def _work(group: Group, plan: BenchPlan, folder: Path) -> bytes:
    points, orders = carry_out(group, plan, folder)
    values = {"points": [asdict(point) for point in points], "orders": orders}
    return json.dumps(values, separators=(",", ":")).encode()


def carry_out(group: Group, plan: BenchPlan, folder: Path) -> Carried:
    """The points of trials of one bench, method and seed; and the order that DQA used."""
    bench = _opened(plan, folder)
    seconds, orders, steps = 0.0, {}, None
    ranked: dict[tuple[int, int], Ranking] = {}
    points = []
    for trial in group:
        settings, ranking = trial.settings, None
        if settings.entry.budgeted and steps is None:
            started = time.perf_counter()
            steps = steps_for(bench.sites, bench.examples)
            seconds = time.perf_counter() - started
        if settings.needs_ranking:
            bits = _bits_of(trial)
            if bits not in ranked:
                ranked[bits] = _ranking(bench, trial, *bits)
            ranking, seconds = ranked[bits], ranked[bits].seconds
            if bits == PAPER:
                orders = {name: ranking.order(name).tolist() for name in ranking.scores}
        network = prepare(bench.sites, settings, bench.examples, ranking, steps)
        with torch.inference_mode():
            quality, ledger = bench.score(network)
        points.append(_point(trial, quality, ledger, seconds))
    return points, orders


@lru_cache(maxsize=1)
def _opened(plan: BenchPlan, folder: Path) -> Bench:
    return plan.open(folder)


def _bits_of(trial: Trial) -> tuple[int, int]:
    """n and m at which the trial's channels are ranked; only `gain` depends on them, and greedy."""
    if trial.settings.criterion == "gain":
        return trial.settings.bits, trial.settings.extra_bits
    return PAPER


def _ranking(bench: Bench, trial: Trial, bits: int, extra_bits: int) -> Ranking:
    found = rank(
        bench.sites, bench.examples, trial.settings.criterion, bits, extra_bits, trial.seed
    )
    return found.inverse() if trial.method.startswith(INVERSE) else found


def _point(trial: Trial, quality: list[float], ledger: Any, seconds: float) -> Point:
    settings, total = trial.settings, ledger.total
    return Point(
        trial.bench,
        trial.method,
        trial.seed,
        settings.bits,
        settings.extra_bits if settings.needs_ranking else 0,
        settings.important if settings.needs_ranking else 0.0,
        settings.bits_per_activation if settings.entry.budgeted else 0.0,
        [round(value, 4) for value in quality],
        round(ledger.bits_per_activation, 5),
        total.total,
        total.fp32,
        round(seconds, 3),
    )
