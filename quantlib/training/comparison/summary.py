"""Rows of a comparison: mean and standard deviation over seeds."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from statistics import fmean, stdev
from typing import Any

from quantlib.errors import QuantlibError
from quantlib.qat.scheme import LEARNED
from quantlib.training.comparison.plan import Result
from quantlib.training.comparison.post_trained import POST_TRAINED
from quantlib.training.super_resolution.runcard import RunCard, require_comparable

TITLES = {
    "rlq": "RLQ",
    "lsq": "LSQ",
    "pact": "PACT",
    "dorefa": "DoReFa",
    "pams": "PAMS",
    "ddtb": "DDTB",
    "fp32": "FP32",
    "minmax": "MinMax",
    "percentile": "Percentile",
    "dobi": "DOBI search",
    "2dquant": "2DQuant",
    "noisyquant": "NoisyQuant on linear layers",
}
PTQ, QAT = "after training", "in training"
DISTILLED = {"steps", "batch", "learning_rate", "schedule", "optimiser", "loss"}
"""What a two-stage method may have besides those that only calibrate."""


@dataclass(frozen=True)
class Score:
    """PSNR in dB over seeds: mean and sample standard deviation; one seed alone has none."""

    mean: float
    deviation: float | None

    def __str__(self) -> str:
        """Two decimals, the deviation where there is one.

        >>> print(Score(37.056, 0.012), Score(37.056, None), sep="; ")
        37.06 ± 0.01; 37.06
        """
        spread = "" if self.deviation is None else f" ± {self.deviation:.2f}"
        return f"{self.mean:.2f}{spread}"


@dataclass(frozen=True)
class Row:
    """One method at one bit-width, over `seeds` runs of `minutes` each on average."""

    label: str
    bits: int
    run: RunCard
    psnr_y: dict[str, Score]
    seeds: int
    minutes: float

    @property
    def quantized(self) -> str:
        """Whether the network was quantized after its training or in it."""
        return when(self.run)

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "quantized": self.quantized}


def when(run: RunCard) -> str:
    """Whether a run quantizes after the training (PTQ) or in it (QAT)."""
    return PTQ if run.method in POST_TRAINED else QAT


def name_of(run: RunCard) -> str:
    """The method and what of it is switched off; a k of RLQ other than the released 1."""
    title = TITLES.get(run.method, run.method)
    off = [part for part, is_off in _switches(run).items() if is_off]
    without = f" without {', '.join(off)}" if off else ""
    softness = f" (k = {run.k:g})" if _has_softness(run) and run.k not in (0, 1) else ""
    return title + without + softness


def label_of(run: RunCard) -> str:
    """`name_of` with the bits of weights and activations."""
    return f"{name_of(run)} {bits_of(run)}"


def bits_of(run: RunCard) -> str:
    """The bits of weights and activations, as W4A4."""
    return f"W{run.weight_bits}A{run.activation_bits}"


def _switches(run: RunCard) -> dict[str, bool]:
    """The method's own parts; k = 0 switches φ off."""
    parts = LEARNED[run.method].parts if run.method in LEARNED else ()
    return {part.title: not getattr(run, part.field) for part in parts}


def _has_softness(run: RunCard) -> bool:
    return run.method in LEARNED and LEARNED[run.method].has_softness


def rows_of(results: Iterable[Result]) -> list[Row]:
    """A row per method and bit-width, in the order of the results.

    Raises a QuantlibError when results of one bit-width, all quantized after training or all in
    it, were not made under the same conditions, whatever the seed, or not measured on the same
    pictures.
    """
    groups: dict[str, list[Result]] = {}
    by_bits: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        groups.setdefault(label_of(result.run), []).append(result)
        by_bits.setdefault((bits_of(result.run), when(result.run)), []).append(result)
    for (_, quantized), alike in by_bits.items():
        besides = {"seed"} | (DISTILLED if quantized == PTQ else set())
        require_comparable([result.run for result in alike], besides)
        _require_same_pictures(alike)
    return [_row(label, group) for label, group in groups.items()]


def _require_same_pictures(results: list[Result]) -> None:
    first = results[0]
    for other in results[1:]:
        if other.pictures != first.pictures:
            raise QuantlibError(
                f"These results cannot be ranked: {first.name} was measured on "
                f"{_counted(first)} and {other.name} on {_counted(other)}; "
                "measure both on the same pictures."
            )


def _counted(result: Result) -> str:
    counts = [f"{count} of {name}" for name, count in result.pictures.items()]
    return " and ".join(counts) or "none"


def _row(label: str, group: list[Result]) -> Row:
    run = group[0].run
    scores = {
        benchmark: _score([result.mean(benchmark) for result in group])
        for benchmark in group[0].psnr_y
    }
    minutes = fmean(60 * result.run.hours for result in group)
    return Row(label, run.weight_bits, run, scores, len(group), round(minutes, 2))


def _score(values: list[float]) -> Score:
    spread = round(stdev(values), 3) if len(values) > 1 else None
    return Score(round(fmean(values), 3), spread)
