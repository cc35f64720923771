"""The threads that tensor work is done on: one for each core, and one core for each piece of work.

Streamlit runs every script on a thread of its own. PyTorch would give each of them a team of
threads, and a team stands still whenever something else, a browser for example, needs one of its
cores. Work that keeps to one core goes on, and several pieces of it go on side by side.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

import torch

P = ParamSpec("P")
T = TypeVar("T")
Item = TypeVar("Item")

CORES = torch.get_num_threads()
_PREFIX = "tensors"
_threads = ThreadPoolExecutor(CORES, _PREFIX, torch.set_num_threads, (1,))


def on_worker(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of `work`, or the error it raised; `work` may call this in turn."""
    if threading.current_thread().name.startswith(_PREFIX):
        return work(*args, **kwargs)
    return _threads.submit(work, *args, **kwargs).result()


@contextmanager
def side_by_side(
    work: Callable[[Item], T], items: Iterable[Item]
) -> Iterator[dict[Item, Future[T]]]:
    """The futures of `work` for all items; those not begun when the block is left are dropped.

    No more than one item per core waits in line, so that visitors take turns.
    """
    futures: dict[Item, Future[T]] = {item: Future() for item in items}
    to_do = iter(list(futures.items()))

    def work_on_next() -> None:
        for item, future in to_do:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(work(item))
                except BaseException as error:
                    future.set_exception(error)
                _threads.submit(work_on_next)
                return

    for _ in range(CORES):
        _threads.submit(work_on_next)
    try:
        yield futures
    finally:
        for future in futures.values():
            future.cancel()


def use_one_core() -> None:
    """For work on the calling thread itself whose time is measured."""
    torch.set_num_threads(1)


def use_all_cores() -> None:
    """For long work on the calling thread itself."""
    torch.set_num_threads(CORES)
