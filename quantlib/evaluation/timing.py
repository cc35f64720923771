"""How long work takes on this machine, for ratios within one run."""

import time
from collections.abc import Callable
from statistics import median
from typing import TypeVar

T = TypeVar("T")


def timed(work: Callable[[], T], repeats: int = 5) -> tuple[T, float]:
    """What `work` returns, and the median of its seconds after one run to warm up.

    >>> result, seconds = timed(lambda: sum(range(1000)))
    >>> result, seconds > 0
    (499500, True)
    """
    result, times = work(), []
    for _ in range(repeats):
        started = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - started)
    return result, median(times)
