"""Whether anything on the disk is touched, whatever language does it."""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ACCESSED, OPENED = 0x1, 0x20  # inotify.h
EVENTS = "open", "os", "shutil", "glob", "subprocess"

_listeners: list[tuple[str, list[str]]] = []


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if not _listeners or event.split(".")[0] not in EVENTS:
        return
    for one in arguments[:3]:  # what follows is the environment of a subprocess
        text = one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one)
        for marker, seen in _listeners:
            if marker in text:
                seen.append(f"{event} {text}")


sys.addaudithook(_note)  # there is no way to take one off again


class Watch:
    """What happens to a folder and to the files in it.

    Python's audit events tell of Python, of files that are not there too; the kernel's of files
    that C++ and Rust open.
    """

    def __init__(self, folder: Path) -> None:
        self._events: list[str] = []
        self._listener = (folder.name, self._events)
        libc = ctypes.CDLL(None, use_errno=True)
        self._kernel = libc.inotify_init1(os.O_NONBLOCK)
        found = libc.inotify_add_watch(self._kernel, os.fsencode(folder), ACCESSED | OPENED)
        if found < 0:
            raise OSError(ctypes.get_errno(), "inotify")
        _listeners.append(self._listener)

    def seen(self) -> list[str]:
        """What has happened since it was asked before."""
        found = list(self._events)
        self._events.clear()
        with suppress(BlockingIOError):
            found.append(f"kernel {os.read(self._kernel, 65_536)!r}")
        return found

    def end(self) -> None:
        _listeners.remove(self._listener)
        os.close(self._kernel)


@contextmanager
def watching(folder: Path) -> Iterator[Watch]:
    """Watches a folder whose name stands nowhere else."""
    watch = Watch(folder)
    try:
        yield watch
    finally:
        watch.end()
