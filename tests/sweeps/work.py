"""Work that says in a log of its own when it was begun and done, and by which process."""

import os
import time
from pathlib import Path


def square(n: int, log: Path) -> bytes:
    note(log, f"done {n}")
    return str(n * n).encode()


def square_past(gate: int, n: int, log: Path) -> bytes:
    """The same; from the `gate`-th on not before there is a file `open` beside the log."""
    note(log, f"begun {n} {os.getpid()}")
    while n >= gate and not (log.parent / "open").exists():
        time.sleep(0.02)
    return square(n, log)


def large(n: int, workers: int, log: Path) -> bytes:
    """200 kB, once as many processes as `workers` are at work."""
    note(log, f"begun {n} {os.getpid()}")
    while len({words[2] for words in lines(log) if words[0] == "begun"}) < workers:
        time.sleep(0.02)
    note(log, f"done {n}")
    return bytes([n]) * 200_000


def fail(n: int, log: Path) -> bytes:
    raise ValueError(f"{n} is beyond me")


def note(log: Path, line: str) -> None:
    with log.open("a") as file:
        file.write(f"{line}\n")


def lines(log: Path) -> list[list[str]]:
    return [line.split() for line in log.read_text().splitlines()] if log.exists() else []


def done(log: Path) -> list[int]:
    """What was computed, as often as it was."""
    return sorted(int(words[1]) for words in lines(log) if words[0] == "done")


def begun(log: Path) -> dict[int, int]:
    """Which process began what."""
    return {int(words[1]): int(words[2]) for words in lines(log) if words[0] == "begun"}
