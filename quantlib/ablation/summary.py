"""The ablation read: means over seeds, and every point against others at equal bytes."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
import torch

from quantlib.ablation.plan import baselines
from quantlib.ablation.points import Point, Results
from quantlib.errors import QuantlibError
from quantlib.files import write_whole
from quantlib.importance import Ranking


@dataclass(frozen=True)
class Row:
    """One line of a table: a method at its settings, over all seeds that were measured.

    `quality` and `deviation` (None for one seed) are in the unit of the bench; `bits` per
    activation and `kib` count everything stored; `against` is the difference from each
    baseline at equal bytes, interpolated between its bits, None outside its range.
    """

    bench: str
    method: str
    n: int
    m: int
    r: float
    budget: float
    quality: float
    deviation: float | None
    seeds: int
    bits: float
    kib: float
    seconds: float
    against: Mapping[str, float | None]

    @property
    def is_dqa(self) -> bool:
        return self.m > 0

    @property
    def title(self) -> str:
        """The quality with its deviation, two decimals.

        >>> Row("b", "random", 3, 3, 0.4, 0, 78.126, 1.25, 5, 3.9, 10, 0, {}).title
        '78.13 ± 1.25'
        """
        spread = "" if self.deviation is None else f" ± {self.deviation:.2f}"
        return f"{self.quality:.2f}{spread}"


@dataclass(frozen=True)
class Summary:
    """What is shown: rows by bench, and rank correlations between the criteria by bench."""

    rows: tuple[Row, ...]
    correlations: Mapping[str, Mapping[str, Mapping[str, float]]]

    @property
    def benches(self) -> list[str]:
        return list(dict.fromkeys(row.bench for row in self.rows))

    def of(self, bench: str) -> list[Row]:
        return [row for row in self.rows if row.bench == bench]

    def with_benches(self, later: "Summary") -> "Summary":
        """This one, with the benches that `later` has as they stand there."""
        kept = [row for row in self.rows if row.bench not in later.benches]
        return Summary((*kept, *later.rows), {**self.correlations, **later.correlations})

    def write(self, file: Path) -> None:
        values = {"rows": [asdict(row) for row in self.rows], "correlations": self.correlations}
        write_whole(file, (json.dumps(values, separators=(",", ":")) + "\n").encode())

    @classmethod
    def read(cls, file: Path) -> "Summary":
        """From a file that `write` made; empty where there is none."""
        if not file.exists():
            return cls((), {})
        try:
            values = json.loads(file.read_text("utf-8"))
            return cls(tuple(Row(**entry) for entry in values["rows"]), values["correlations"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise QuantlibError(
                f"{file.name} holds no summary of an ablation; measure it again with `make table`."
            ) from error


def summarise(results: Results) -> Summary:
    """Rows of all points, and the correlations of all orders of channels."""
    points = list(results.points.values())
    curves = {bench: _curves(points, bench) for bench in {point.bench for point in points}}
    groups: dict[tuple[Any, ...], list[Point]] = {}
    for point in points:
        key = (point.bench, point.method, point.n, point.m, point.r, point.budget)
        groups.setdefault(key, []).append(point)
    rows = [_row(group, curves[group[0].bench]) for group in groups.values()]
    return Summary(tuple(rows), {b: _correlations(o) for b, o in results.orders.items()})


def at_equal_bytes(curve: Iterable[tuple[float, float]], bits: float) -> float | None:
    """The quality that `(bits, quality)` points have at `bits`, interpolated; None outside.

    >>> at_equal_bytes([(2, 60.0), (4, 80.0)], 3), at_equal_bytes([(2, 60.0)], 3)
    (70.0, None)
    """
    known = sorted(curve)
    if not known or not known[0][0] <= bits <= known[-1][0]:
        return None
    at, quality = np.array(known).T
    return float(np.interp(bits, at, quality))


def _curves(points: Iterable[Point], bench: str) -> dict[str, list[tuple[float, float]]]:
    mine = [point for point in points if point.bench == bench]
    return {name: [(p.bits, p.mean) for p in mine if p.method == name] for name in baselines()}


def _row(group: list[Point], curves: Mapping[str, list[tuple[float, float]]]) -> Row:
    first, means = group[0], [point.mean for point in group]
    quality, bits = fmean(means), fmean(point.bits for point in group)
    against: dict[str, float | None] = {}
    if first.m or first.budget:
        for name, curve in curves.items():
            uniform = at_equal_bytes(curve, bits)
            against[name] = None if uniform is None else round(quality - uniform, 4)
    return Row(
        first.bench,
        first.method,
        first.n,
        first.m,
        first.r,
        first.budget,
        round(quality, 4),
        round(stdev(means), 4) if len(means) > 1 else None,
        len(means),
        round(bits, 4),
        round(fmean(point.bytes for point in group) / 1024, 1),
        round(fmean(point.seconds for point in group), 2),
        against,
    )


def _correlations(orders: Mapping[str, Mapping[str, list[int]]]) -> dict[str, dict[str, float]]:
    """Spearman's, mean over the layers, between every two lines."""
    rankings = {line: _ranking(line, order) for line, order in orders.items()}
    return {
        a: {b: round(one.correlation(other), 3) for b, other in rankings.items()}
        for a, one in rankings.items()
    }


def _ranking(line: str, order: Mapping[str, list[int]]) -> Ranking:
    scores = {site: -torch.argsort(torch.tensor(chosen)).float() for site, chosen in order.items()}
    return Ranking(line, scores, 0.0)
