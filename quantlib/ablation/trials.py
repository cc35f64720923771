"""Trials carried out: one after the other or several at once, saved as they come."""

import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from quantlib.ablation.plan import INVERSE, PAPER, AblationPlan, Trial
from quantlib.errors import QuantlibError
from quantlib.files import check_writable, make_folder, write_whole
from quantlib.importance import Ranking, rank
from quantlib.importance.preparing import prepare, steps_for
from quantlib.tasks.bench import Bench, BenchPlan

Watch = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Point:
    """What a trial measured.

    `quality` in the unit of the bench, one figure or one per picture; `bits` per activation and
    `bytes` are serialised lengths with all tables and scales; `seconds` is what ranking took.
    """

    bench: str
    method: str
    seed: int
    n: int
    m: int
    r: float
    budget: float
    quality: list[float]
    bits: float
    bytes: int
    fp32_bytes: int
    seconds: float

    @property
    def mean(self) -> float:
        return sum(self.quality) / len(self.quality)


@dataclass
class Results:
    """All points by the key of their trial, and the orders of channels at the paper's bits."""

    points: dict[str, Point] = field(default_factory=dict)
    orders: dict[str, dict[str, dict[str, list[int]]]] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> "Results":
        """From a file; none where there is no file yet."""
        if not file.exists():
            return cls()
        try:
            values = json.loads(file.read_text("utf-8"))
            points = {key: Point(**entry) for key, entry in values["points"].items()}
            return cls(points, values.get("orders", {}))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise QuantlibError(
                f"{file} holds no results of an ablation; remove it and measure again."
            ) from error

    def write(self, file: Path) -> None:
        """To `file`, whole or not at all."""
        values = {"points": {k: asdict(p) for k, p in self.points.items()}, "orders": self.orders}
        write_whole(file, (json.dumps(values, separators=(",", ":")) + "\n").encode())


def measure_all(
    plan: AblationPlan,
    folder: Path,
    file: Path,
    jobs: int = 1,
    watch: Watch = lambda done, total, name: None,
    only: Callable[[Trial], bool] = lambda trial: True,
) -> Results:
    """Carry out what `file` lacks of the plan's trials and add it there, group by group.

    `folder` holds the data. With `jobs` above 1 that many processes share the groups, one thread
    each. Broken off at any moment, it goes on with what is missing.
    """
    make_folder(file.parent)
    check_writable(file)
    results = Results.read(file)
    wanted = [trial for trial in plan.trials() if only(trial)]
    missing = [trial for trial in wanted if trial.key not in results.points]
    benches = {bench.name: bench for bench in plan.benches}
    groups = list(_groups(missing))
    watch(len(wanted) - len(missing), len(wanted), "")
    for group, (points, orders) in _carry_out(groups, benches, folder, jobs):
        results.points |= {t.key: p for t, p in zip(group, points, strict=True)}
        if orders:
            results.orders.setdefault(group[0].bench, {})[_line(group[0])] = orders
        results.write(file)
        done = sum(trial.key in results.points for trial in wanted)
        watch(done, len(wanted), f"{group[0].bench}, {group[0].method}")
    return results


Group = list[Trial]
Carried = tuple[list[Point], dict[str, list[int]]]


def _groups(trials: Sequence[Trial]) -> Iterator[Group]:
    """Trials that share what is costly to find out: a bench, a method and a seed."""
    found: dict[tuple[str, str, int], Group] = {}
    for trial in trials:
        found.setdefault((trial.bench, trial.method, trial.seed), []).append(trial)
    yield from found.values()


def _carry_out(
    groups: Sequence[Group], benches: dict[str, BenchPlan], folder: Path, jobs: int
) -> Iterator[tuple[Group, Carried]]:
    if jobs == 1:
        for group in groups:
            yield group, carry_out(group, benches[group[0].bench], folder)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, _begin) as pool:
        begun = {pool.submit(carry_out, g, benches[g[0].bench], folder): g for g in groups}
        for done in as_completed(begun):
            yield begun[done], done.result()


def _begin() -> None:
    """One of several: on one thread; gone without a word at Ctrl-C, and with its parent."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, lambda number, frame: os._exit(128 + number))
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that is killed tells nobody, and its pool would wait for work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


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


def _line(trial: Trial) -> str:
    return f"{trial.method} {trial.seed}" if trial.settings.criterion == "random" else trial.method


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
