"""The comparison of learned quantizers that ships with Bitlens, and what its numbers say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from pages.parts.shared.start import ASSETS
from quantlib.evaluation.paired import Paired
from quantlib.training.comparison.plan import Result, read_plan
from quantlib.training.comparison.summary import TITLES, Row, bits_of, name_of, rows_of

RESULTS = ASSETS / "results" / "comparison-x2.json"
PLAN = ASSETS / "plans" / "comparison-x2.toml"


def benchmark_title(name: str) -> str:
    """
    >>> benchmark_title("set5"), benchmark_title("b100")
    ('Set5', 'B100')
    """
    return name.capitalize()


def in_words(count: int) -> str:
    return "one seed" if count == 1 else f"{count} seeds"


@dataclass(frozen=True)
class Comparison:
    """Runs that may be ranked: those of one bit-width, trained under the same conditions."""

    bits: str
    rows: Sequence[Row]
    results: Sequence[Result]

    @property
    def names(self) -> list[str]:
        """The published methods as they are, RLQ first, then those with a part switched off."""
        order = list(TITLES.values())
        names = [name_of(row.run) for row in self.rows]
        return sorted(names, key=lambda n: order.index(n) if n in order else len(order))

    @property
    def methods(self) -> list[Row]:
        """The rows of the published methods as they are."""
        return [row for row in self.rows if name_of(row.run) in TITLES.values()]

    @property
    def ablation(self) -> list[Row]:
        """RLQ with every choice of its parts; with the learned step alone it is LSQ."""
        rows = [row for row in self.rows if row.run.method in ("rlq", "lsq")]
        return rows if any(row not in self.methods for row in rows) else []

    def of(self, name: str) -> dict[int, Result]:
        """The runs of a method by seed."""
        return {r.run.seed: r for r in self.results if name_of(r.run) == name}

    def over_seeds(self, one: str, other: str, benchmark: str) -> Paired | None:
        """Mean PSNR of `one` minus that of `other`, for every seed that both have."""
        ones, others = self.of(one), self.of(other)
        seeds = sorted(ones.keys() & others.keys())
        if not seeds:
            return None
        return Paired.of(
            [ones[seed].mean(benchmark) for seed in seeds],
            [others[seed].mean(benchmark) for seed in seeds],
        )

    def over_pictures(self, one: str, other: str) -> dict[str, Paired]:
        """PSNR of `one` minus that of `other` for every picture of each benchmark.

        Both are means over the seeds that both have.
        """
        ones, others = self.of(one), self.of(other)
        seeds = sorted(ones.keys() & others.keys())
        benchmarks = self.results[0].psnr_y if seeds else ()
        return {
            benchmark: Paired.of(_over(seeds, ones, benchmark), _over(seeds, others, benchmark))
            for benchmark in benchmarks
        }

    def ranking(self, benchmark: str) -> str:
        """One sentence on RLQ and the highest of the others, from what was run."""
        where = f"at {self.bits} on {benchmark_title(benchmark)}"
        others = {
            name: found
            for row in self.methods
            if (name := name_of(row.run)) != "RLQ"
            and (found := self.over_seeds("RLQ", name, benchmark))
        }
        if not others:
            names = " and ".join(name_of(row.run) for row in self.methods) or "No method"
            return f"{names} ran {where} so far: RLQ cannot be compared yet."
        rival = min(others, key=lambda name: others[name].mean)
        which = f", the highest of the other {len(others)} methods," if len(others) > 1 else ""
        return f"RLQ is {_relation(others[rival], f'{rival}{which} {where}')}, measured here."


def comparisons(results: Mapping[str, Result]) -> list[Comparison]:
    """One for each bit-width. QuantlibError when results of one bit-width may not be ranked."""
    rows = rows_of(results.values())
    widths = dict.fromkeys(bits_of(row.run) for row in sorted(rows, key=lambda row: row.bits))
    return [
        Comparison(
            bits,
            [row for row in rows if bits_of(row.run) == bits],
            [result for result in results.values() if bits_of(result.run) == bits],
        )
        for bits in widths
    ]


def what_is_missing(results: Mapping[str, Result]) -> str:
    """One sentence on what the plan still lacks and the command that trains it, or nothing."""
    planned = {recipe.name for recipe in read_plan(PLAN).recipes()}
    there = len(planned & results.keys())
    if there == len(planned):
        return ""
    then = "then copy `runs/comparison-x2.json` to `assets/results/`."
    if not there:
        return (
            f"The {len(planned)} runs of the comparison are not here yet: `make comparison` trains "
            f"them, {then}"
        )
    return (
        f"{there} of the {len(planned)} runs of the comparison are here so far: `make comparison` "
        f"trains the rest, {then}"
    )


def lines_for(results: Path) -> str:
    """Python lines that print the scores in a file of results that ships with Bitlens."""
    return (
        "from quantlib.shipped import ASSETS\n"
        "from quantlib.training.comparison.plan import read_results\n"
        "from quantlib.training.comparison.summary import rows_of\n\n"
        f'results = read_results(ASSETS / "results" / {results.name!r})\n'
        "for row in rows_of(results.values()):\n"
        "    scores = {name: str(score) for name, score in row.psnr_y.items()}\n"
        "    print(row.label, row.quantized, scores)\n"
    )


def _over(seeds: Sequence[int], runs: Mapping[int, Result], benchmark: str) -> list[float]:
    scores = [runs[seed].psnr_y[benchmark] for seed in seeds]
    return [fmean(picture) for picture in zip(*scores, strict=True)]


def _relation(found: Paired, other: str) -> str:
    """`above` or `below` and by how much, with the deviation where there are several seeds."""
    if round(found.mean, 2) == 0:
        word, size = "level with", f"to less than 0.01 dB (mean difference {found.mean:+.3f} dB"
        seeds = in_words(len(found.differences))
        return f"{word} {other} {size}, {seeds})"
    word = "above" if found.mean > 0 else "below"
    if found.deviation is None:
        return f"{word} {other} by {abs(found.mean):.2f} dB with one seed"
    size = f"{abs(found.mean):.2f} ± {found.deviation:.2f} dB"
    doubt = ", less than the deviation over them" if abs(found.mean) < found.deviation else ""
    return f"{word} {other} by {size} over {in_words(len(found.differences))}{doubt}"
