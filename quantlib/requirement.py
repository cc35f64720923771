"""What is required of speed and size: a figure, and what it has to be at least."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter

REPEATS = 9


@dataclass(frozen=True)
class Requirement:
    """`figure` is a ratio, or in the unit that `name` says; `required` is what it is at least.

    >>> Requirement("Huffman decodes, relative to zlib", figure=2.0, required=1.0).met
    True
    """

    name: str
    figure: float
    required: float

    @property
    def met(self) -> bool:
        return self.figure >= self.required


@dataclass(frozen=True)
class Ceiling:
    """How many times faster than in FP32 `name` is with its 8-bit convolutions alone."""

    name: str
    figure: float


Work = Callable[[], object]


def in_turns(works: Mapping[str, Work], repeats: int | None = None) -> dict[str, float]:
    """Median seconds of each of `works`, which take turns; a first turn warms up."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for turn in range((repeats or REPEATS) + 1):
        for name, work in works.items():
            started = perf_counter()
            work()
            if turn:
                seconds[name].append(perf_counter() - started)
    return {name: median(taken) for name, taken in seconds.items()}


def relative_speed(work: Work, other: Work) -> float:
    """Median seconds of `other` over those of `work`, which take turns."""
    seconds = in_turns({"work": work, "other": other})
    return seconds["other"] / seconds["work"]
