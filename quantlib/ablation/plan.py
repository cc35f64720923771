"""Which trials an ablation consists of: a TOML file in `assets/plans`."""

import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path

from quantlib.errors import QuantlibError
from quantlib.ptq import Settings
from quantlib.ptq.criteria import CRITERIA
from quantlib.ptq.methods import METHODS
from quantlib.tasks.bench import BenchPlan

PAPER = 3, 3
"""n and m: greedy ranks there, and rankings are compared."""
INVERSE = "inverse "
"""Before a criterion: its ranking turned round, as a control."""


def baselines() -> dict[str, Settings]:
    """Lines of methods that take nothing but bits, which others are held against."""
    return {
        variant.line: Settings(entry.name, **variant.changes)
        for entry in METHODS.values()
        for variant in entry.variants
        if entry.is_plain and variant.line
    }


def ranked_lines() -> dict[str, Settings]:
    """Lines of methods that rank channels: the first of them by all criteria, others by Fisher."""
    lines: dict[str, Settings] = {}
    for entry in (entry for entry in METHODS.values() if entry.ranks):
        default = Settings().criterion
        for variant in entry.variants:
            criteria = (default,) if lines else tuple(CRITERIA)
            for criterion in criteria:
                settings = Settings(entry.name, criterion=criterion, **variant.changes)
                lines[variant.line.format(criterion=criterion)] = settings
        lines.setdefault(INVERSE + default, Settings(entry.name, criterion=default))
    return lines


@dataclass(frozen=True)
class Trial:
    """One point: `method` is a line of the table, `seed` belongs to random selection."""

    bench: str
    method: str
    settings: Settings
    seed: int = 0

    @property
    def key(self) -> str:
        """What the trial is called in the file of results.

        >>> Trial("net", "random", Settings("dqa", 3, 2, 0.5, "random"), seed=1).key
        'net | random | seed 1 | n=3 m=2 r=0.5'
        """
        chosen = self.settings
        if chosen.entry.budgeted:
            numbers = f"b={chosen.bits_per_activation:g}"
        elif chosen.needs_ranking:
            numbers = f"n={chosen.bits} m={chosen.extra_bits} r={chosen.important:g}"
        else:
            numbers = f"n={chosen.bits}"
        return f"{self.bench} | {self.method} | seed {self.seed} | {numbers}"


@dataclass(frozen=True)
class AblationPlan:
    """The benches and what is varied on each of them.

    `criteria` are lines of methods that rank channels, all if there are none: every criterion, the
    ranking by Fisher turned round, and Fisher where the base codes are coded too. Each is tried at
    all `bits` × `extra_bits` with `ratio`, and at all `ratios` with the paper's three bits and
    three more; random selection with all `seeds`. Baselines have `uniform_bits`, methods with a
    budget the `budgets`.
    """

    benches: tuple[BenchPlan, ...]
    criteria: tuple[str, ...] = ()
    bits: tuple[int, ...] = (2, 3, 4, 5)
    extra_bits: tuple[int, ...] = (1, 2, 3)
    ratio: float = 0.4
    ratios: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    uniform_bits: tuple[int, ...] = (2, 3, 4, 5, 6, 7, 8)
    budgets: tuple[float, ...] = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)

    def trials(self) -> list[Trial]:
        return [trial for bench in self.benches for trial in self._of(bench.name)]

    def _of(self, bench: str) -> Iterator[Trial]:
        for entry in METHODS.values():
            for variant in entry.variants:
                if variant.line and not entry.quantizes:
                    yield Trial(bench, variant.line, Settings(entry.name))
        for name, settings in baselines().items():
            for bits in self.uniform_bits:
                yield Trial(bench, name, replace(settings, bits=bits))
        for entry in (entry for entry in METHODS.values() if entry.budgeted):
            for variant, budget in product(entry.variants, self.budgets):
                settings = Settings(entry.name, bits_per_activation=budget, **variant.changes)
                yield Trial(bench, variant.line, settings)
        known = ranked_lines()
        for line in self.criteria or known:
            for seed in self.seeds if known[line].criterion == "random" else (0,):
                for settings in self._refined(known[line]):
                    yield Trial(bench, line, settings, seed)

    def _refined(self, line: Settings) -> Iterator[Settings]:
        """A line that ranks channels at all n, m and r."""
        chosen = [(n, m, self.ratio) for n in self.bits for m in self.extra_bits]
        chosen += [(*PAPER, ratio) for ratio in self.ratios]
        for n, m, ratio in dict.fromkeys(chosen):
            yield replace(line, bits=n, extra_bits=m, important=ratio)


def read_plan(file: Path) -> AblationPlan:
    """The plan in a TOML file: tables `[[bench]]`, and any field of the plan that differs."""
    try:
        values = tomllib.loads(file.read_text("utf-8"))
        benches = tuple(BenchPlan(**entry) for entry in values.pop("bench"))
        lists = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        return AblationPlan(benches, **lists)  # type: ignore[arg-type]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise QuantlibError(
            f"{file} is no plan of an ablation ({error}); it needs tables [[bench]] with name, "
            "task, model and data."
        ) from error


def conditions(plan: AblationPlan) -> list[dict[str, object]]:
    """What is printed beside the figures: the benches as they stand in the plan."""
    return [asdict(bench) for bench in plan.benches]
