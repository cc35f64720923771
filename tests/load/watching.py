"""What a server holds while it is visited."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

EVERY = 0.2  # seconds


@dataclass(frozen=True)
class Held:
    """Resident bytes of a process, and its open descriptors."""

    resident: int
    descriptors: int

    def __str__(self) -> str:
        return f"{self.resident / 2**20:,.0f} MiB resident, {self.descriptors} descriptors"


@dataclass
class Peaks:
    """The most that was seen."""

    seen: list[Held] = field(default_factory=list)

    @property
    def peak(self) -> Held:
        return Held(max(h.resident for h in self.seen), max(h.descriptors for h in self.seen))


def held_by(pid: int) -> Held:
    process = Path(f"/proc/{pid}")
    lines = process.joinpath("status").read_text().splitlines()
    (kib,) = (line.split()[1] for line in lines if line.startswith("VmRSS"))
    return Held(int(kib) * 1024, len(list(process.joinpath("fd").iterdir())))


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
