"""The process that runs are forked from: `python -m tests.kills.forking FD`, as `Forks` starts it.

It has imported what they need, so that a run takes as long as its work. Each run is a process of
its own, which knows nothing of the others and is killed as any other process is.
"""

import mmap
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

Program = Callable[[Sequence[str]], int]

POLL = 0.002
CRASHED = 70
CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@dataclass(frozen=True)
class Run:
    """`program(words)` in the folder `place / "made"`; what it says goes to `place / "said"`.

    It is killed before its change of a file number `at`, or after so many `seconds`.
    """

    program: Program
    words: Sequence[str]
    place: Path
    environment: Mapping[str, str]
    at: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Ended:
    """`status` is below zero for a signal; `changes` counts those of files below the place."""

    status: int
    seconds: float
    changes: int


class Counting:
    """An audit hook that counts changes of files below `place`, and kills before number `at`."""

    def __init__(self, place: Path, at: int | None, count: mmap.mmap) -> None:
        self.place, self.at, self.count, self.seen = f"{place}{os.sep}", at, count, 0

    def __call__(self, event: str, given: tuple) -> None:
        changes = given[2] & WRITING if event == "open" else event in CHANGES
        if not changes or isinstance(given[0], int):  # a file that is open
            return
        if os.path.abspath(os.fsdecode(given[0])).startswith(self.place):
            self.seen += 1
            self.count[:8] = self.seen.to_bytes(8, "little")
            if self.seen == self.at:
                os.kill(os.getpid(), signal.SIGKILL)


def serve(connection: Connection) -> None:
    """Receives what to call first, and then one run at a time; sends how each has ended."""
    connection.recv()()
    connection.send(None)
    while True:
        try:
            run = connection.recv()
        except EOFError:
            return
        connection.send(_ended(run))


def _ended(run: Run) -> Ended:
    count = mmap.mmap(-1, 8)
    started = time.monotonic()
    child = os.fork()
    if not child:
        os._exit(_carried_out(run, count))
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        seconds = time.monotonic() - started
        if ended:
            changes = int.from_bytes(count[:8], "little")
            return Ended(os.waitstatus_to_exitcode(status), seconds, changes)
        if run.seconds is not None and seconds >= run.seconds:
            os.kill(child, signal.SIGKILL)
        time.sleep(POLL)


def _carried_out(run: Run, count: mmap.mmap) -> int:
    try:
        said = os.open(run.place / "said", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for stream in (1, 2):
            os.dup2(said, stream)
        os.environ.update(run.environment)
        tempfile.tempdir = None  # looked up anew
        os.chdir(run.place / "made")
        sys.addaudithook(Counting(run.place, run.at, count))
        status = run.program(run.words)
        sys.stdout.flush()
        return status
    except BaseException:
        traceback.print_exc()
        return CRASHED


if __name__ == "__main__":
    from tests.kills import forking  # whose classes are those of whoever asks

    forking.serve(Connection(int(sys.argv[1])))
