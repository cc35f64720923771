"""Runs of a kind, killed at moments and then let to their end, and what was amiss afterwards."""

import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from quantlib.files import PART
from tests.architecture.imports import ROOT
from tests.kills.contents import content, contents
from tests.kills.forking import Ended, Program, Run

GROWING = {".json", ".pt"}
"""What is written again and again with more in it."""
UNFINISHED = ".incomplete"
"""What the Hub's library calls a file that is on its way."""


@dataclass(frozen=True)
class Kind:
    """What is killed: `program`, with the words that `given` makes of the folder of its inputs.

    `spared` are names of files that a library leaves, for which it offers no way to sweep them.
    """

    name: str
    program: Program
    given: Callable[[Path], Sequence[str]]
    environment: Mapping[str, str]
    spared: str = r"(?!)"


class Forks:
    """The process that runs are forked from."""

    def __init__(self, prepare: Callable[[], None]) -> None:
        self.connection, theirs = multiprocessing.Pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.kills.forking", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            cwd=ROOT,
            env=_environment(),
        )
        theirs.close()
        self.connection.send(prepare)
        self.connection.recv()

    def run(self, run: Run) -> Ended:
        self.connection.send(run)
        return self.connection.recv()

    def end(self) -> None:
        self.connection.close()
        self.process.wait()


@contextmanager
def forking(prepare: Callable[[], None]) -> Iterator[Forks]:
    forks = Forks(prepare)
    try:
        yield forks
    finally:
        forks.end()


def _environment() -> dict[str, str]:
    """One thread, so that a sum comes out the same twice, and no byte code on its way to disk."""
    own = {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return {k: v for k, v in os.environ.items() if k != "HF_HUB_OFFLINE"} | own


class Trial:
    """One kind in a folder of its own, with what a run leaves that nobody killed."""

    def __init__(self, kind: Kind, forks: Forks, folder: Path) -> None:
        self.kind, self.forks, self.folder = kind, forks, folder
        inputs = folder / "given"
        inputs.mkdir(parents=True)
        self.words = list(kind.given(inputs))
        place = self._place("whole")
        self.ended = self._run(place)
        assert self.ended.status == 0, self._said(place)
        self.whole = contents(place / "made")
        assert self.whole and self.ended.changes
        self.left_over = [*contents(place / "tmp")]
        assert not self.left_over, self.left_over

    def faults(self, count: int, seed: int, clock: bool) -> Iterator[str]:
        """What went wrong at `count` moments: by a clock, or before changes of files."""
        random = np.random.default_rng((seed, clock))
        if clock:
            moments = [{"seconds": x} for x in random.uniform(0, self.ended.seconds, count)]
        else:
            each = random.permutation(self.ended.changes) + 1
            moments = [{"at": int(at)} for at in np.resize(each, count)]
        for number, moment in enumerate(moments):
            for fault in self._faults_of(f"{number}-{clock}", moment):
                yield f"{self.kind.name}, {moment}: {fault}"

    def _faults_of(self, name: str, moment: Mapping[str, Any]) -> Iterator[str]:
        place = self._place(name)
        killed = self._run(place, **moment)
        if "at" in moment and killed.status != -signal.SIGKILL:
            yield f"it ended with {killed.status} before it could be killed\n{self._said(place)}"
        yield from self._half_written(place / "made")
        again = self._run(place)
        if again.status:
            yield f"it did not go on: {again.status}\n{self._said(place)}"
        found = contents(place / "made")
        found = {n: one for n, one in found.items() if not re.fullmatch(self.kind.spared, n)}
        if found.keys() != self.whole.keys():
            yield f"other files: {sorted(found.keys() ^ self.whole.keys())}"
        yield from (f"{n} is another" for n in found if found[n] != self.whole.get(n, found[n]))
        yield from (f"{n} is left over" for n in contents(place / "tmp"))
        shutil.rmtree(place)

    def _half_written(self, made: Path) -> Iterator[str]:
        for path in (path for path in made.rglob("*") if path.is_file()):
            if PART.fullmatch(path.name) or path.suffix == UNFINISHED:
                continue
            name = str(path.relative_to(made))
            try:
                found = content(path.suffix, path.read_bytes())
            except Exception as error:  # what is not whole fails in every way
                yield f"{name} is half written: {error}"
                continue
            if path.suffix not in GROWING and name in self.whole and found != self.whole[name]:
                yield f"{name} is half written"

    def _run(self, place: Path, **moment: Any) -> Ended:
        environment = {
            **{"HOME": str(place), "TMPDIR": str(place / "tmp")},
            **{"HF_HUB_CACHE": str(place / "made" / "hub")},
            **self.kind.environment,
        }
        return self.forks.run(Run(self.kind.program, self.words, place, environment, **moment))

    def _place(self, name: str) -> Path:
        place = self.folder / name
        for folder in ("made", "tmp"):
            (place / folder).mkdir(parents=True)
        return place

    def _said(self, place: Path) -> str:
        return (place / "said").read_text("utf-8", errors="replace")[-2000:]
