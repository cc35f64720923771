"""The threads that tensor work is done on: one for each core, and one core for each piece of work.

Streamlit runs every script on a thread of its own. PyTorch would give each of them a team of
threads, and a team stands still whenever something else, a browser for example, needs one of its
cores. Work that keeps to one core goes on, and several pieces of it go on side by side.
"""

import threading
import time
from collections.abc import Callable, Hashable, Iterable, Iterator
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


def begun(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
    """`work` in line behind what others have asked for."""
    future = _threads.submit(work, *args, **kwargs)
    future.add_done_callback(_note_done)
    return future


def on_worker(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of `work`, or the error it raised; `work` may call this in turn."""
    if threading.current_thread().name.startswith(_PREFIX):
        return work(*args, **kwargs)
    return begun(work, *args, **kwargs).result()


_last_done = 0.0


def _note_done(done: Future) -> None:
    global _last_done
    _last_done = time.monotonic()


def last_done() -> float:
    """When the last piece of work was done, by the monotonic clock; 0 before the first."""
    return _last_done


@contextmanager
def side_by_side(
    work: Callable[[Item], T],
    items: Iterable[Item],
    name: Callable[[Item], Hashable] = lambda item: object(),
) -> Iterator[dict[Item, Future[T]]]:
    """The futures of `work` for all items; those not begun when the block is left are dropped.

    No more than one item per core waits in line, so that visitors take turns. What goes by the same
    `name` gives the same: while one of them is worked on, all others wait for it without a core.
    """
    futures: dict[Item, Future[T]] = {item: Future() for item in items}
    to_do = iter(list(futures.items()))

    def work_on_next() -> None:
        for item, future in to_do:
            if future.set_running_or_notify_cancel() and _work_once(name(item), future, work, item):
                begun(work_on_next)
                return

    for _ in range(CORES):
        begun(work_on_next)
    try:
        yield futures
    finally:
        for future in futures.values():
            future.cancel()


_begun: dict[Hashable, Future] = {}
_beginning = threading.Lock()


def _work_once(name: Hashable, future: Future[T], work: Callable[[Item], T], item: Item) -> bool:
    """Whether it was worked on here: not where `name` is under way, whose outcome `future` gets."""
    with _beginning:
        first = _begun.setdefault(name, future)
    if first is not future:
        first.add_done_callback(lambda done: _pass_on(done, future))
        return False
    try:
        future.set_result(work(item))
    except BaseException as error:
        future.set_exception(error)
    finally:
        with _beginning:
            del _begun[name]
    return True


def _pass_on(done: Future[T], to: Future[T]) -> None:
    error = done.exception()
    if error is None:
        to.set_result(done.result())
    else:
        to.set_exception(error)


def use_one_core() -> None:
    """For work on the calling thread itself whose time is measured."""
    torch.set_num_threads(1)


def use_all_cores() -> None:
    """For long work on the calling thread itself."""
    torch.set_num_threads(CORES)
