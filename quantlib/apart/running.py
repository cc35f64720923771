"""Starts a process for one piece of work, waits for it, and ends it in whatever way that goes."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

from quantlib.apart.message import (
    DONE,
    FAILED,
    NO_MEMORY,
    ORDER,
    REFUSED,
    REQUEST,
    SAID,
    Message,
    Say,
    pieces,
    received,
)
from quantlib.apart.processes import CAN_FORK, forked_process, new_process
from quantlib.errors import QuantlibError

TICK = 0.1  # seconds between two looks at the clock

Work = Callable[[Message, Say], Message]
Watch = Callable[[Mapping[str, Any]], None]
"""Sees what the work said last, ten times a second; what it raises ends the work."""


@dataclass(frozen=True)
class Limits:
    """`seconds` by the clock, `megabytes` beyond what is imported, `answer` bytes sent back."""

    seconds: float
    megabytes: int
    answer: int


def unwatched(said: Mapping[str, Any]) -> None:
    """For work whose progress nobody follows."""


def run_apart(
    work: Work,
    request: Message,
    limits: Limits,
    what: str,
    advice: str,
    watch: Watch = unwatched,
    environment: Mapping[str, str] | None = None,
) -> Message:
    """What `work`, a function of a module, makes of `request` in a process of its own.

    That process is gone when this returns or raises, with all that it has started. A QuantlibError
    of the work is raised here too; what goes beyond `limits` or breaks the process is one that
    begins with `what` and ends in `advice`. With an `environment` of its own, or where no process
    can be forked, the process begins from nothing.

    >>> from quantlib.imaging import apart
    >>> apart.decode_apart(b"", "a.png")
    Traceback (most recent call last):
    quantlib.errors.QuantlibError: a.png is empty; choose another file.
    """
    deadline = time.monotonic() + limits.seconds
    anew = environment is not None or not CAN_FORK
    with new_process(environment or {}) if anew else forked_process(work.__module__) as streams:
        answer = _Answer(streams.answers, limits.answer)
        _Asking(streams.requests, work, request, limits).start()
        answer.start()
        while answer.is_alive():
            answer.join(TICK)
            watch(answer.said)
            if answer.is_alive() and time.monotonic() > deadline:
                raise QuantlibError(
                    f"{what} took longer than {limits.seconds:g} seconds; {advice}."
                )
    return _result(answer, limits, what, advice)


def _result(answer: "_Answer", limits: Limits, what: str, advice: str) -> Message:
    message = answer.message
    if answer.kind == DONE:
        return message
    if answer.kind == REFUSED:
        raise QuantlibError(str(message.values.get("sentence")))
    if answer.kind == FAILED:
        raise RuntimeError(str(message.values.get("error")))
    if answer.kind == NO_MEMORY:
        raise QuantlibError(f"{what} needs more than {limits.megabytes:,} MB of memory; {advice}.")
    raise QuantlibError(f"{what} broke the process that was at work on it; {advice}.")


class _Asking(threading.Thread):
    """Writes beside the one who waits: the process may take nothing, or end before it has all."""

    def __init__(self, stream: IO[bytes], work: Work, request: Message, limits: Limits) -> None:
        super().__init__(name="asking", daemon=True)
        self._stream = stream
        order = {"module": work.__module__, "name": work.__name__}
        order |= {"megabytes": limits.megabytes, "seconds": limits.seconds}
        self._pieces = *pieces(ORDER, Message(order)), *pieces(REQUEST, request)

    def run(self) -> None:
        with suppress(OSError, ValueError):  # it has ended
            for piece in self._pieces:
                self._stream.write(piece)
            self._stream.flush()  # and it stays open: the process ends where it closes


class _Answer(threading.Thread):
    """Reads what the process says; `kind` stays empty where it ends without an answer."""

    def __init__(self, stream: IO[bytes], most: int) -> None:
        super().__init__(name="answer", daemon=True)
        self._stream: Any = stream
        self._most = most
        self.said: Mapping[str, Any] = {}
        self.kind, self.message = "", Message({})

    def run(self) -> None:
        with suppress(EOFError, OSError, ValueError):
            while (found := received(self._read, self._most))[0] == SAID:
                self.said = found[1].values
            self.kind, self.message = found

    def _read(self, count: int) -> bytearray:
        found = bytearray(count)
        left = memoryview(found)
        while left and (got := self._stream.readinto(left)):
            left = left[got:]
        if left:
            raise EOFError
        return found
