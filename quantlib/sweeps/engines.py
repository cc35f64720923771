"""Where units are computed: one after the other here, or in several processes."""

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Protocol


class Engine(Protocol):
    """An executor of `concurrent.futures` in all but its class, used inside `with`.

    Work is submitted, and comes back in any order from `as_completed`. Where a future raises one of
    `losses`, the engine itself failed, and `why` says how in one sentence.
    """

    @property
    def losses(self) -> tuple[type[BaseException], ...]: ...
    def why(self, loss: BaseException) -> str: ...
    def submit(self, work: Callable[..., Any], /, *given: Any) -> Future[Any]: ...
    def as_completed(self, futures: Iterable[Future[Any]]) -> Iterator[Future[Any]]: ...
    def __enter__(self) -> "Engine": ...
    def __exit__(self, *failure: object) -> None: ...


class InTurn:
    """This process, in the order in which work was submitted; each when its turn comes.

    >>> with InTurn() as engine:
    ...     futures = [engine.submit(pow, 2, n) for n in range(3)]
    ...     [done.result() for done in engine.as_completed(futures)]
    [1, 2, 4]
    """

    losses: tuple[type[BaseException], ...] = ()

    def __init__(self) -> None:
        self._waiting: dict[Future[Any], Callable[[], Any]] = {}

    def why(self, loss: BaseException) -> str:
        return str(loss)

    def submit(self, work: Callable[..., Any], /, *given: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self._waiting[future] = lambda: work(*given)
        return future

    def as_completed(self, futures: Iterable[Future[Any]]) -> Iterator[Future[Any]]:
        waiting = deque(futures)
        while waiting:
            future = waiting.popleft()
            future.set_result(self._waiting.pop(future)())
            yield future

    def __enter__(self) -> "InTurn":
        return self

    def __exit__(self, *failure: object) -> None:
        self._waiting.clear()


class Processes:
    """`jobs` processes on this machine, which compute on one thread each."""

    losses: tuple[type[BaseException], ...] = (BrokenProcessPool,)

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs

    def why(self, loss: BaseException) -> str:
        return (
            "A process of this sweep was ended from outside, or had no memory left; what is done "
            "is kept, so give the same command again, with fewer --jobs where memory is short."
        )

    def submit(self, work: Callable[..., Any], /, *given: Any) -> Future[Any]:
        return self._pool.submit(work, *given)

    def as_completed(self, futures: Iterable[Future[Any]]) -> Iterator[Future[Any]]:
        return as_completed(futures)

    def __enter__(self) -> "Processes":
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(self.jobs, context, _begin)
        return self

    def __exit__(self, *failure: object) -> None:
        self._pool.shutdown(cancel_futures=True)


class Open:
    """An engine that is inside `with` already, for one sweep after the other."""

    def __init__(self, engine: Engine) -> None:
        self.losses, self.why = engine.losses, engine.why
        self.submit, self.as_completed = engine.submit, engine.as_completed

    def __enter__(self) -> "Open":
        return self

    def __exit__(self, *failure: object) -> None:
        """It stays open."""


def _begin() -> None:
    """One of several: on one thread; gone without a word at Ctrl-C, and with its parent."""
    on_one_thread()
    signal.signal(signal.SIGINT, lambda number, frame: os._exit(128 + number))
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that is killed tells nobody, and its pool would wait for work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def on_one_thread() -> None:
    """PyTorch computes on one thread in this process, whether or not it is imported yet."""
    os.environ["OMP_NUM_THREADS"] = "1"
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
