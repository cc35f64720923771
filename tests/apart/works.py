"""Work for a process of its own, as strange as it may come."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from quantlib.apart.message import Message, Say
from quantlib.errors import QuantlibError

ENVIRONMENT: dict[str, str] | None = None
"""What `test_running` gives to processes."""


def reversed_bytes(request: Message, say: Say) -> Message:
    return Message(request.values, tuple(bytes(one)[::-1] for one in request.buffers))


def modules(request: Message, say: Say) -> Message:
    return Message({"modules": sorted(sys.modules)})


def refuse(request: Message, say: Say) -> Message:
    raise QuantlibError("This is no picture; choose another.")


def stumble(request: Message, say: Say) -> Message:
    raise KeyError("a bug")


def allocate(request: Message, say: Say) -> Message:
    return Message({"sum": int(np.ones(request.values["megabytes"] * 10**6, np.uint8).sum())})


def allocate_in_a_reader(request: Message, say: Say) -> Message:
    try:
        return allocate(request, say)
    except MemoryError as error:
        raise QuantlibError("It is damaged.") from error


def wait(request: Message, say: Say) -> Message:
    """Tells its process and that of a child, and ends in a minute."""
    other = subprocess.Popen(["sleep", "60"])
    say({"processes": [os.getpid(), other.pid]})
    if note := request.values.get("note"):
        Path(note).write_text(f"{os.getpid()}", "utf-8")
    time.sleep(60)
    return Message({})


def count(request: Message, say: Say) -> Message:
    for number in range(3):
        say({"number": number})
        time.sleep(0.3)
    return Message({})


def print_much(request: Message, say: Say) -> Message:
    sys.stdout.write("x" * 100_000)
    sys.stdout.flush()
    os.write(1, b"y" * 100_000)
    return Message({"printed": True})


def crash(request: Message, say: Say) -> Message:
    os.kill(os.getpid(), signal.SIGSEGV)
    raise AssertionError


def leave(request: Message, say: Say) -> Message:
    os._exit(0)
