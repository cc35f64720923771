"""The process that works apart: `python -m quantlib.apart.child`, as `run_apart` starts it.

It is no child of `multiprocessing`, which begins with what `__main__` is where it was started (on a
page that is the page's script), and no fork, which would copy threads in the middle of something.
"""

import os
import signal
import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import BinaryIO

from quantlib.apart.message import (
    DONE,
    FAILED,
    NO_MEMORY,
    REFUSED,
    SAID,
    Message,
    pieces,
    received,
)
from quantlib.errors import QuantlibError

try:
    import resource
except ImportError:  # a platform without limits: time is still kept, by the process that waits
    resource = None

ANY = 1 << 62
NO_ALLOCATION = "can't allocate memory", "bad_alloc"
"""What PyTorch and C++ say instead of a MemoryError."""


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Does one piece of work, and says what came of it."""

    def send(kind: str, message: Message) -> None:
        for piece in pieces(kind, message):
            answers.write(piece)
        answers.flush()

    _, (order, _) = received(requests.read, 0)
    work = getattr(import_module(order["module"]), order["name"])
    _, request = received(requests.read, ANY)
    threading.Thread(target=_end_with_the_other, args=(requests,), daemon=True).start()
    _limit(order["megabytes"], order["seconds"])
    try:
        send(DONE, work(request, lambda values: send(SAID, Message(values))))
    except Exception as error:
        send(*_told(error))


def _told(error: Exception) -> tuple[str, Message]:
    if _is_about_memory(error):
        return NO_MEMORY, Message({})
    if isinstance(error, QuantlibError):
        return REFUSED, Message({"sentence": str(error)})
    return FAILED, Message({"error": f"{type(error).__name__}: {error}"})


def _is_about_memory(error: BaseException | None) -> bool:
    """Whether memory was missing, also where whoever read a file took that for its damage."""
    while error is not None:
        if isinstance(error, MemoryError) or any(one in str(error) for one in NO_ALLOCATION):
            return True
        error = error.__cause__
    return False


def _limit(megabytes: int, seconds: float) -> None:
    """From here on so much more memory than there is now; what is in it is never written down."""
    if resource is None:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    backstop = 60 + 2 * int(seconds)  # of the processor, where nobody is left who looks at a clock
    resource.setrlimit(resource.RLIMIT_CPU, (backstop, backstop))
    if held := _held():
        most = held + megabytes * 10**6
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _held() -> int:
    """Bytes that count towards RLIMIT_DATA; 0 where Linux does not say it."""
    try:
        status = Path("/proc/self/status").read_text("utf-8")
    except OSError:
        return 0
    lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return int(lines.get("VmData", "0 kB").split()[0]) * 1024


def _end_with_the_other(requests: BinaryIO) -> None:
    """Where the process that waits has gone, in whatever way, nobody needs an answer."""
    requests.read(1)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    serve(sys.stdin.buffer, channel)
