"""The threads that tensor work is done on: one for each core, and one core for each piece of work.

Streamlit runs every script on a thread of its own. PyTorch would give each of them a team of
threads, and a team stands still whenever something else, a browser for example, needs one of its
cores. Work that keeps to one core goes on, and several pieces of it go on side by side.

Visitors take turns, piece by piece. Long work has threads of its own, which the operating system
lets run where nothing else wants the core, so that nobody who waits for a moment waits for it.
"""

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import ParamSpec, TypeVar

import torch

from pages.parts.shared.drawing import stepping_aside
from pages.parts.shared.errand import Errand, errand, look_up, on_errand
from pages.parts.shared.fair import FairLine
from quantlib.stopping import StoppedError, go_on

P = ParamSpec("P")
T = TypeVar("T")
Item = TypeVar("Item")

CORES = torch.get_num_threads()
LOOK = 0.1  # seconds between two looks at whether anybody still waits
SOON = 0.01  # seconds
NICE = 10
_here = threading.local()


def _start(niceness: int) -> None:
    _here.is_worker = True
    torch.set_num_threads(1)
    if niceness and hasattr(os, "setpriority"):
        with suppress(OSError):  # where a thread has no priority of its own
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)


class Workers:
    """`count` threads that work on what is in line."""

    def __init__(self, count: int, name: str, niceness: int = 0) -> None:
        self._threads = ThreadPoolExecutor(count, name, _start, (niceness,))
        self._line: FairLine[Callable[[], None]] = FairLine()
        self.last_done = 0.0

    def begun(self, work: Callable[[], T], mine: Errand) -> Future[T]:
        future: Future[T] = Future()

        def make() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                with on_errand(mine):
                    go_on()
                    future.set_result(work())
            except BaseException as error:
                future.set_exception(error)
            finally:
                self.last_done = time.monotonic()

        self._line.put(mine.visitor, make)
        self._threads.submit(lambda: self._line.take()())
        return future


_short, _long = Workers(CORES, "tensors"), Workers(CORES, "long tensors", NICE)


def begun(work: Callable[[], T], mine: Errand | None = None) -> Future[T]:
    """`work` in line with what others have asked for."""
    mine = mine or errand()
    return (_long if mine.is_long else _short).begun(work, mine)


def on_worker(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of `work`, or the error it raised; `work` may call this in turn.

    It ends unfinished where the visitor leaves, or wants something else, before it is done.
    """
    if is_worker():
        return work(*args, **kwargs)
    left = threading.Event()
    future = begun(lambda: work(*args, **kwargs), errand().until(left.is_set))
    try:
        if not is_done_soon(future):
            with stepping_aside():
                while not wait([future], LOOK).done:
                    look_up()
                    go_on()
    except StoppedError:
        left.set()
        if future.cancel():
            raise
        return future.result()  # which it may have come to early
    except BaseException:  # a page's script, which has something else to do
        left.set()
        future.cancel()
        raise
    return future.result()


def is_done_soon(future: Future) -> bool:
    """Whether it is not worth while to do something else meanwhile."""
    return bool(wait([future], SOON).done)


def is_worker() -> bool:
    """Whether this thread is one of them."""
    return getattr(_here, "is_worker", False)


def last_done() -> float:
    """When the last piece of work was done, by the monotonic clock; 0 before the first."""
    return max(_short.last_done, _long.last_done)


@contextmanager
def side_by_side(
    work: Callable[[Item], T], items: Iterable[Item], is_long: bool = False
) -> Iterator[dict[Item, Future[T]]]:
    """The futures of `work` for all items; what is not done when the block is left is dropped.

    `work` asks the workers for what takes long, so that what is known already waits for nobody. No
    more than one item per core waits in line.
    """
    left, mine = threading.Event(), errand()
    own = replace(mine.until(left.is_set), is_long=is_long or mine.is_long)

    def ask(item: Item) -> T:
        with on_errand(own):
            go_on()
            return work(item)

    threads = ThreadPoolExecutor(CORES, "asking", torch.set_num_threads, (1,))
    futures = {item: threads.submit(ask, item) for item in dict.fromkeys(items)}
    try:
        yield futures
    finally:
        left.set()
        threads.shutdown(wait=False, cancel_futures=True)


def use_one_core() -> None:
    """For work on the calling thread itself."""
    torch.set_num_threads(1)


@contextmanager
def all_cores() -> Iterator[None]:
    """For work inside that is measured with all of them."""
    torch.set_num_threads(CORES)
    try:
        yield
    finally:
        torch.set_num_threads(1)
