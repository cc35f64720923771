"""The process that others are forked from: `python -m quantlib.apart.nursery`.

It imports what is asked for, once, and does nothing else, so that a fork of it has PyTorch in some
milliseconds and no thread stands still in the middle of something.
"""

import gc
import os
import signal
import socket
import sys
from contextlib import suppress
from importlib import import_module

from quantlib.apart.child import serve

IDLE = 60.0  # seconds after which it ends; the next one who needs it starts it again
PLACES = 2  # file descriptors that come with the name of a module: to read from and to write to
LONGEST = 200


def breed(channel: socket.socket) -> None:
    """For each name of a module that comes, a process that works apart; its number is sent back."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how it ended
    channel.settimeout(IDLE)
    while True:
        try:
            name, places, _, _ = socket.recv_fds(channel, LONGEST, PLACES)
        except TimeoutError:
            return
        if not name:
            return
        import_module(name.decode())
        gc.freeze()
        process = os.fork()
        if not process:
            channel.close()
            _work(*places)
        with suppress(OSError):
            os.setpgid(process, process)  # here too: it may be ended before it has done so itself
        for place in places:
            os.close(place)
        channel.sendall(process.to_bytes(8, "little"))


def _work(reads: int, writes: int) -> None:
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        serve(os.fdopen(reads, "rb"), os.fdopen(writes, "wb"))
    finally:
        os._exit(0)


if __name__ == "__main__":
    breed(socket.socket(fileno=sys.stdin.fileno()))
