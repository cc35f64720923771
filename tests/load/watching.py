"""What a server holds while it is visited."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.worker import MEGABYTE, resident

EVERY = 0.2  # seconds


@dataclass(frozen=True)
class Held:
    """Resident bytes of a process, and its open descriptors."""

    resident: int
    descriptors: int

    def __str__(self) -> str:
        return f"{self.resident / MEGABYTE:,.0f} MiB resident, {self.descriptors} descriptors"


@dataclass
class Peaks:
    """The most that was seen."""

    seen: list[Held] = field(default_factory=list)

    @property
    def peak(self) -> Held:
        return Held(max(h.resident for h in self.seen), max(h.descriptors for h in self.seen))


def held_by(pid: int) -> Held:
    descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Held(round(resident(pid, "VmRSS") * MEGABYTE), descriptors)


@contextmanager
def watched(pid: int) -> Iterator[Peaks]:
    """Looks at the process until the block is left."""
    peaks, end = Peaks([held_by(pid)]), threading.Event()

    def look() -> None:
        while not end.wait(EVERY):
            peaks.seen.append(held_by(pid))

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        yield peaks
    finally:
        end.set()
        looking.join()
