"""What one function does with many inputs: its outcome, its time and its memory, one by one.

The inputs run in a process of their own, which is killed and started anew where one takes too long
or too much.
"""

import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.worker import ERROR, KILLED, OTHER, RIGHT, Handle, resident

__all__ = ["ERROR", "KILLED", "OTHER", "RIGHT", "Handle", "Outcome", "outcomes", "row"]

SECONDS, MEGABYTES = 2.0, 500.0  # what an input may cost
KILL_SECONDS, KILL_MEGABYTES = 30.0, 4000.0
POLL = 0.02
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Outcome:
    """What came of input number `at`.

    `seconds` are of the processor, `megabytes` the peak of resident memory beyond the process's
    before its first input.
    """

    at: int
    kind: str
    seconds: float
    megabytes: float
    words: str = ""

    @property
    def is_handled(self) -> bool:
        """A right result or a `QuantlibError`, within the memory; no clock is asked."""
        return self.kind in (RIGHT, ERROR) and self.megabytes <= MEGABYTES

    @property
    def is_well(self) -> bool:
        """Handled within the time too."""
        return self.is_handled and self.seconds <= SECONDS


def outcomes(
    handle: Handle,
    inputs: Iterable[bytes],
    kill_seconds: float = KILL_SECONDS,
    kill_megabytes: float = KILL_MEGABYTES,
    warm: Callable[[], object] | None = None,
) -> Iterator[Outcome]:
    """What `handle`, a function of a module, does with each of `inputs`; returning is right.

    `warm`, another one, imports and compiles what no single input is to be charged with.
    """
    worker = None
    try:
        for at, data in enumerate(inputs):
            worker = worker or _Worker(handle, warm)
            outcome = worker.run(at, data, kill_seconds, kill_megabytes)
            yield outcome
            if not outcome.is_well:  # what it has left behind is not the next one's
                worker.end()
                worker = None
    finally:
        if worker is not None:
            worker.end()


def row(what: str, found: list[Outcome]) -> str:
    """The table's row.

    >>> row("mutated pictures", [Outcome(0, ERROR, 0.5, 1), Outcome(1, OTHER, 0.1, 700)])
    '2 mutated pictures: 1 errors, 0 right results, 1 other exceptions, 0 over 2 s, \
1 over 500 MB beyond the base; slowest 0.50 s, largest 700 MB'
    """
    kinds = [outcome.kind for outcome in found]
    slow = sum(outcome.seconds > SECONDS for outcome in found)
    large = sum(outcome.megabytes > MEGABYTES for outcome in found)
    slowest = max((outcome.seconds for outcome in found), default=0.0)
    largest = max((outcome.megabytes for outcome in found), default=0.0)
    return (
        f"{len(found):,} {what}: {kinds.count(ERROR):,} errors, {kinds.count(RIGHT):,} right "
        f"results, {kinds.count(OTHER) + kinds.count(KILLED):,} other exceptions, {slow:,} over "
        f"{SECONDS:g} s, {large:,} over {MEGABYTES:g} MB beyond the base; slowest {slowest:.2f} s, "
        f"largest {largest:.0f} MB"
    )


class _Worker:
    def __init__(self, handle: Handle, warm: Callable[[], object] | None) -> None:
        self.connection, theirs = multiprocessing.Pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.worker", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            cwd=ROOT,
            env=os.environ | {"OMP_NUM_THREADS": "1"},  # waiting threads are no work
        )
        theirs.close()
        self.connection.send((warm, handle))
        self.base: float = self.connection.recv()  # MB, once everything is imported

    def run(self, at: int, data: bytes, most_seconds: float, most_megabytes: float) -> Outcome:
        started = time.monotonic()
        self.connection.send(data)
        while not self.connection.poll(POLL):
            seconds = time.monotonic() - started
            megabytes = resident(self.process.pid, "VmRSS") - self.base
            if seconds > most_seconds or megabytes > most_megabytes:
                self.process.kill()
                return Outcome(at, KILLED, seconds, megabytes, "killed")
        try:
            kind, seconds, peak, words = self.connection.recv()
        except EOFError:  # the process is gone: a decoder's crash, or memory at its end
            return Outcome(at, KILLED, time.monotonic() - started, 0.0, "the process ended")
        return Outcome(at, kind, seconds, peak - self.base, words)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.connection.close()
