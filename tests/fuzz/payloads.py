"""Damaged payloads by the thousand: what every decoder makes of them, in seconds and memory.

    python -m tests.fuzz.payloads --count 4000 --seed 1

A payload passes when it ends in a QuantlibError, or in the same arrays by all forms of the
decoders. They are decoded in a process of their own, which is ended where it hangs.
"""

import argparse
import multiprocessing
import re
import resource
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from unittest import mock

import numpy as np

from quantlib.coding import compiled
from quantlib.errors import QuantlibError
from tests.fuzz.mutations import mutated
from tests.fuzz.targets import Target, targets

MAX_SECONDS, MAX_BYTES = 2.0, 500 * 10**6
HANG_SECONDS = 60.0
ADDRESS_SPACE = 4 << 30  # beyond what the process has; more is a MemoryError and not a dead machine


@dataclass(frozen=True)
class Outcome:
    """What became of the damaged payload number `index` of a run."""

    index: int
    target: str
    kind: str  # "error", "result", "disagreement", "hang", or the name of another exception
    seconds: float
    memory: int  # bytes at most beyond what was held before

    @property
    def passes(self) -> bool:
        return self.kind in ("error", "result")


@dataclass
class Report:
    """Counts of a run; `offenders` are the outcomes that break a promise."""

    seed: int
    count: int = 0
    errors: int = 0
    results: int = 0
    others: int = 0
    slow: int = 0
    large: int = 0
    worst_seconds: float = 0.0
    worst_memory: int = 0
    offenders: list[Outcome] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.count += 1
        self.errors += outcome.kind == "error"
        self.results += outcome.kind == "result"
        self.others += not outcome.passes
        slow, large = outcome.seconds > MAX_SECONDS, outcome.memory > MAX_BYTES
        self.slow += slow
        self.large += large
        self.worst_seconds = max(self.worst_seconds, outcome.seconds)
        self.worst_memory = max(self.worst_memory, outcome.memory)
        if slow or large or not outcome.passes:
            self.offenders.append(outcome)

    def __str__(self) -> str:
        row = (
            f"{self.count} mutated payloads (seed {self.seed}): {self.errors} errors, "
            f"{self.results} right results, {self.others} other exceptions, "
            f"{self.slow} over {MAX_SECONDS:g} s, {self.large} over {MAX_BYTES // 10**6} MB; "
            f"worst {self.worst_seconds:.2f} s and {self.worst_memory / 1e6:.0f} MB"
        )
        return "\n".join([row, *map(str, self.offenders)])


def run(count: int, seed: int) -> Report:
    """Decode `count` damaged payloads, drawn with `seed`, in turns for all targets."""
    report = Report(seed)
    while report.count < count:
        for outcome in _outcomes(seed, report.count, count):
            report.add(outcome)
    return report


def damaged(known: list[Target], seed: int, index: int) -> tuple[Target, bytes]:
    """The damaged payload number `index` of a run, and whose it is."""
    target = known[index % len(known)]
    return target, mutated(target.payloads, Random(f"{seed} {index}"))


def _outcomes(seed: int, first: int, end: int) -> Iterator[Outcome]:
    """Outcomes from a new process, until it is done or hangs."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_decode_all, args=(seed, first, end, there), daemon=True)
    process.start()
    there.close()
    name = ""
    try:
        for index in range(first, end):
            name = here.recv() if here.poll(HANG_SECONDS) else "start"
            if not here.poll(HANG_SECONDS):
                yield Outcome(index, name, "hang", HANG_SECONDS, 0)
                return
            yield here.recv()
    except EOFError:
        yield Outcome(index, name, "crash", 0.0, 0)
    finally:
        process.kill()
        process.join()


def _decode_all(seed: int, first: int, end: int, outcomes: Connection) -> None:
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + ADDRESS_SPACE, held + ADDRESS_SPACE))
    known = targets()
    compiled.warm()
    for index in range(first, end):
        target, broken = damaged(known, seed, index)
        outcomes.send(target.name)
        outcomes.send(_outcome(index, target, broken))


def _outcome(index: int, target: Target, broken: bytes) -> Outcome:
    """What both forms make of a payload: the worse of the two."""
    outcomes, decoded = [], []
    for form in (_plain, nullcontext):
        with form():
            outcome, arrays = _decoded(index, target, broken)
        outcomes.append(outcome)
        decoded.append(arrays)
    agree = [outcome.kind for outcome in outcomes]
    kind = next((kind for kind in agree if kind not in ("error", "result")), agree[0])
    if agree[0] != agree[1] or not all(
        np.array_equal(a, b, equal_nan=True) for a, b in zip(*decoded, strict=True)
    ):
        kind = "disagreement"
    return Outcome(
        index,
        target.name,
        kind,
        max(outcome.seconds for outcome in outcomes),
        max(outcome.memory for outcome in outcomes),
    )


def _plain() -> AbstractContextManager:
    return mock.patch.object(compiled, "kernels", lambda: None)


def _decoded(index: int, target: Target, broken: bytes) -> tuple[Outcome, list[np.ndarray]]:
    before, arrays = _resident(), []
    started = np.array([time.perf_counter(), time.process_time()])
    try:
        with np.errstate(all="ignore"):
            arrays = target.decode(broken)
        kind = "result"
    except QuantlibError:
        kind = "error"
    except Exception as error:
        kind = type(error).__name__
    # The smaller of the two: neither another process nor several threads count.
    seconds = min(np.array([time.perf_counter(), time.process_time()]) - started)
    return Outcome(index, target.name, kind, seconds, _peak() - before), arrays


def _resident() -> int:
    """Bytes that the process holds; its peak is counted from here on."""
    Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def _peak() -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return 1024 * int(found[1])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found = run(options.count, options.seed)
    print(found)
    raise SystemExit(bool(found.offenders))
