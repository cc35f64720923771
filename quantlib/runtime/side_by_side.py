"""Work on parts of something, as many at once as PyTorch has threads."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import TypeVar

import torch
from threadpoolctl import threadpool_limits

Part = TypeVar("Part")


def side_by_side(work: Callable[[Part], None], parts: Sequence[Part]) -> None:
    """Calls `work` with every part; operations inside it have one thread each.

    With one thread, or one part, everything runs where it is called, one after the other.

    >>> seen = []
    >>> side_by_side(seen.append, [1, 2, 3])
    >>> sorted(seen)
    [1, 2, 3]
    """
    threads = torch.get_num_threads()
    if threads == 1 or len(parts) == 1:
        for part in parts:
            work(part)
    else:
        list(_pool(threads).map(work, parts))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, "side-by-side", initializer=_alone)


def _alone() -> None:
    """One thread for what this thread calls; PyTorch sets its own number at the first question."""
    torch.get_num_threads()
    threadpool_limits(1, user_api="openmp")


@contextmanager
def threads(count: int) -> Iterator[None]:
    """PyTorch computes with `count` threads while the context lasts.

    >>> with threads(1):
    ...     torch.get_num_threads()
    1
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
