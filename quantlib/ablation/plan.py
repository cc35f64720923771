"""Which trials an ablation consists of: a TOML file in `assets/plans`."""

import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from quantlib.ablation.bench import BenchPlan
from quantlib.errors import QuantlibError
from quantlib.ptq import Settings
from quantlib.ptq.settings import CRITERIA

INVERSE, CODED = "inverse fisher", "fisher, coded base"
BASELINES: dict[str, Settings] = {
    "direct": Settings("direct"),
    "direct, unsigned": Settings("direct", unsigned=True),
    "direct, unsigned, MSE clip": Settings("direct", unsigned=True, clip="mse"),
    "power-of-two": Settings("pot"),
    "NoisyQuant": Settings("noisyquant"),
}


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
        if chosen.method == "entropy":
            numbers = f"b={chosen.bits_per_activation:g}"
        elif chosen.needs_ranking:
            numbers = f"n={chosen.bits} m={chosen.extra_bits} r={chosen.important:g}"
        else:
            numbers = f"n={chosen.bits}"
        return f"{self.bench} | {self.method} | seed {self.seed} | {numbers}"


@dataclass(frozen=True)
class AblationPlan:
    """The benches and what is varied on each of them.

    Every criterion, and the ranking by Fisher turned round, is tried at all `bits` × `extra_bits`
    with `ratio`, and at all `ratios` with the paper's three bits and three more; random selection
    with all `seeds`. Where the base codes are coded too, channels are ranked by Fisher. Baselines
    have `uniform_bits`, entropy coding the `budgets`.
    """

    benches: tuple[BenchPlan, ...]
    criteria: tuple[str, ...] = (*CRITERIA, INVERSE, CODED)
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
        yield Trial(bench, "FP32", Settings("fp32"))
        for name, settings in BASELINES.items():
            for bits in self.uniform_bits:
                yield Trial(bench, name, replace(settings, bits=bits))
        for budget in self.budgets:
            settings = Settings("entropy", bits_per_activation=budget)
            yield Trial(bench, "entropy", settings)
        for criterion in self.criteria:
            for seed in self.seeds if criterion == "random" else (0,):
                for settings in self._dqa(criterion):
                    yield Trial(bench, criterion, settings, seed)

    def _dqa(self, criterion: str) -> Iterator[Settings]:
        method = "dqa-ans" if criterion == CODED else "dqa"
        ranked_by = criterion.removeprefix("inverse ").removesuffix(", coded base")
        made = [Settings("dqa", n, m, self.ratio) for n in self.bits for m in self.extra_bits]
        made += [Settings("dqa", 3, 3, ratio) for ratio in self.ratios]
        for settings in dict.fromkeys(made):
            yield replace(settings, method=method, criterion=ranked_by)


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
