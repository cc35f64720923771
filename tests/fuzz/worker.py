"""The process that runs the inputs: `python -m tests.fuzz.worker FD`, as `measuring` starts it.

It is no child of `multiprocessing`, which begins with what `__main__` is where it was started: in a
test that may be the script of an app.
"""

import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from quantlib.errors import QuantlibError

RIGHT, ERROR, OTHER, KILLED = "right", "error", "other", "killed"
MEGABYTE = 2**20

Handle = Callable[[bytes], None]


def serve(connection: Connection) -> None:
    """Receives a function to warm up with, or None, the handle, and then one input at a time."""
    warm, handle = connection.recv()
    if warm is not None:
        warm()
    connection.send(resident("self", "VmRSS"))
    while True:
        try:
            data = connection.recv()
        except EOFError:
            return
        connection.send(_handled(handle, data))


def resident(process: int | str, which: str) -> float:
    """MB of resident memory, now (VmRSS) or at its peak (VmHWM), as Linux counts them."""
    try:
        status = Path(f"/proc/{process}/status").read_text("utf-8")
    except OSError:
        return 0.0
    lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return int(lines.get(which, "0 kB").split()[0]) * 1024 / MEGABYTE


def _handled(handle: Handle, data: bytes) -> tuple[str, float, float, str]:
    """What came of it, seconds of the processor, MB at its peak, and in words what was raised."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here on
    started = time.process_time()
    try:
        handle(data)
        kind, words = RIGHT, ""
    except QuantlibError as error:
        kind, words = ERROR, str(error)
    except BaseException as error:  # whatever it is, it is what is looked for
        kind, words = OTHER, f"{type(error).__name__}: {error}"
    return kind, time.process_time() - started, resident("self", "VmHWM"), words


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])))
