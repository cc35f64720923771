"""Processes for one piece of work each: begun anew, or forked from one that has imported it all."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

from quantlib.errors import QuantlibError

ROOT = Path(__file__).parents[2]
CAN_FORK = hasattr(os, "fork") and hasattr(socket, "send_fds") and sys.platform != "darwin"

PATIENCE = 60.0  # seconds in which a first import has to be done


class Streams(NamedTuple):
    """Where the process reads its request, and where its answer comes from."""

    requests: IO[bytes]
    answers: IO[bytes]


@contextmanager
def new_process(environment: Mapping[str, str]) -> Iterator[Streams]:
    """A process of its own, which is gone afterwards with all that it has started."""
    process = _started("quantlib.apart.child", environment, subprocess.PIPE, subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None
    try:
        yield Streams(process.stdin, process.stdout)
    finally:
        _kill(process.pid)
        process.wait()
        _close(process.stdin, process.stdout)


@contextmanager
def forked_process(module: str) -> Iterator[Streams]:
    """The same in some milliseconds, once `module` was imported for the first time."""
    theirs_to_read, to_write = os.pipe()
    to_read, theirs_to_write = os.pipe()
    streams = Streams(os.fdopen(to_write, "wb"), os.fdopen(to_read, "rb"))
    try:
        try:
            process = _NURSERY.fork(module, theirs_to_read, theirs_to_write)
        finally:
            os.close(theirs_to_read)
            os.close(theirs_to_write)
        try:
            yield streams
        finally:
            _kill(process)
    finally:
        _close(*streams)


class _Nursery:
    """The process that others are forked from, as long as it is needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._lock = threading.Lock()

    def fork(self, module: str, *places: int) -> int:
        """The number of a process that has these file descriptors."""
        with self._lock:
            with suppress(OSError):  # it has ended, as it does after a while
                if self._channel is not None:
                    return self._asked(self._channel, module, places)
            try:
                return self._asked(self._begun(), module, places)
            except OSError as error:
                raise QuantlibError(
                    "There is no process to read files in at the moment; try again."
                ) from error

    def _asked(self, channel: socket.socket, module: str, places: tuple[int, ...]) -> int:
        socket.send_fds(channel, [module.encode()], places)
        answer = channel.recv(8)
        if not answer:
            raise ConnectionError("The process that others are forked from has ended.")
        return int.from_bytes(answer, "little")

    def _begun(self) -> socket.socket:
        if self._channel is not None:
            self._channel.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._channel, theirs = socket.socketpair()
        self._channel.settimeout(PATIENCE)
        with theirs:
            place = theirs.fileno()
            self._process = _started("quantlib.apart.nursery", {}, place, subprocess.DEVNULL)
        return self._channel


_NURSERY = _Nursery()


def _started(
    module: str, environment: Mapping[str, str], stdin: int, stdout: int
) -> "subprocess.Popen[bytes]":
    path = os.pathsep.join(dict.fromkeys([str(ROOT), *filter(None, sys.path)]))
    always = {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module],
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.DEVNULL,  # a library may say there what is in a visitor's file
        env={**os.environ, **always, **environment},
        start_new_session=True,
    )


def _kill(process: int) -> None:
    """With all that it has started, as it leads a group of its own."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process, signal.SIGKILL)
        else:
            os.kill(process, signal.SIGTERM)


def _close(*streams: IO[bytes]) -> None:
    for stream in streams:
        with suppress(OSError, ValueError):
            stream.close()
