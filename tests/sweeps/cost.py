"""How long a sweep takes on so many workers, from what its pieces took when they were measured.

`python -m tests.sweeps.cost` draws the table of docs/scale.md anew.
"""

import heapq
import json
from collections.abc import Iterable

from tests.architecture.imports import ROOT

PAGE = ROOT / "docs" / "scale.md"
BEGIN, END = "<!-- drawn from the results: begin -->", "<!-- drawn from the results: end -->"
WORKERS = 1, 2, 4, 8, 16, 54


def makespan(pieces: Iterable[float], workers: int, each: float = 0.0) -> float:
    """When the last worker is done, if whoever is free takes the next piece in the order given.

    `each` is what handing out a piece costs, in the unit of the pieces.

    >>> makespan([3, 1, 1, 1], 2), makespan([1] * 4, 2, each=0.5)
    (3.0, 3.0)
    """
    free = [0.0] * workers
    for piece in pieces:
        heapq.heapreplace(free, free[0] + piece + each)
    return max(free)


def runs() -> list[float]:
    """Minutes that each training of the comparison took, on one core, from their run cards."""
    file = ROOT / "assets" / "results" / "comparison-x2.json"
    return [60 * one["run"]["hours"] for one in json.loads(file.read_text("utf-8")).values()]


def table() -> str:
    minutes = runs()
    rows = [
        "| Workers of one core | Measured, minutes | Extrapolated, minutes | Times faster |",
        "| --- | --- | --- | --- |",
    ]
    for workers in WORKERS:
        taken = makespan(minutes, workers)
        measured, beyond = (f"{taken:.0f}", "–") if workers == 1 else ("–", f"{taken:.0f}")
        rows.append(f"| {workers} | {measured} | {beyond} | {sum(minutes) / taken:.1f} |")
    return "\n".join(rows)


def drawn(text: str) -> str:
    """The page with the part between the marks drawn anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text("utf-8")), "utf-8")
