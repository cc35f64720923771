"""Rows of a comparison: mean and standard deviation over seeds."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from statistics import fmean, stdev
from typing import Any

from quantlib.training.comparison import Result
from quantlib.training.runcard import RunCard, require_comparable

TITLES = {
    "rlq": "RLQ",
    "lsq": "LSQ",
    "pact": "PACT",
    "dorefa": "DoReFa",
    "pams": "PAMS",
    "ddtb": "DDTB",
    "fp32": "FP32",
}


@dataclass(frozen=True)
class Score:
    """PSNR in dB over seeds; the deviation of one seed alone is 0."""

    mean: float
    deviation: float


@dataclass(frozen=True)
class Row:
    """One method at one bit-width, over `seeds` runs of `minutes` each on average."""

    label: str
    bits: int
    run: RunCard
    psnr_y: dict[str, Score]
    seeds: int
    minutes: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def label_of(run: RunCard) -> str:
    """The method with its bits and what is switched off.

    φ off is written k = 0; DDTB without its gate likewise.
    """
    off = []
    if run.method == "rlq":
        off = [
            name
            for name, is_off in (
                ("φ", run.k == 0),
                ("τ", not run.use_shift),
                ("learned step", not run.learn_step),
            )
            if is_off
        ]
    without = f" without {', '.join(off)}" if off else ""
    bits = f"W{run.weight_bits}A{run.activation_bits}"
    return f"{TITLES.get(run.method, run.method)}{without} {bits}"


def rows_of(results: Iterable[Result]) -> list[Row]:
    """A row per method and bit-width, in the order of the results.

    Raises a QuantlibError when results of one bit-width were not trained under the same conditions.
    """
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(label_of(result.run), []).append(result)
    for bits in {group[0].run.weight_bits for group in groups.values()}:
        at = [r for g in groups.values() for r in g if r.run.weight_bits == bits]
        for seed in {result.run.seed for result in at}:
            require_comparable([result.run for result in at if result.run.seed == seed])
    return [_row(label, group) for label, group in groups.items()]


def _row(label: str, group: list[Result]) -> Row:
    run = group[0].run
    scores = {
        benchmark: _score([result.mean(benchmark) for result in group])
        for benchmark in group[0].psnr_y
    }
    minutes = fmean(60 * result.run.hours for result in group)
    return Row(label, run.weight_bits, run, scores, len(group), round(minutes, 2))


def _score(values: list[float]) -> Score:
    spread = stdev(values) if len(values) > 1 else 0.0
    return Score(round(fmean(values), 3), round(spread, 3))
