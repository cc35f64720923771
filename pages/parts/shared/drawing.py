"""One script draws at a time, and one of a page that computes nothing.

Python runs one thread at a time. Thirty scripts that draw side by side are all late; one after the
other most of them are early. Who waits for a result steps aside.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pages.parts.shared.errand import look_up

PATIENCE = 1.0  # seconds
LOOK = 0.1  # seconds between two looks at whether the visitor is still there
_room, _room_for_light = threading.Semaphore(), threading.Semaphore()
_here = threading.local()


@contextmanager
def drawing(is_light: bool = False) -> Iterator[None]:
    """The script of this thread draws inside, once there is room.

    What `is_light` computes nothing, and waits for nobody who does.
    """
    _here.room = _room_for_light if is_light else _room
    _enter()
    try:
        yield
    finally:
        _leave()


@contextmanager
def stepping_aside() -> Iterator[None]:
    """Others draw while this thread waits inside; after an error it draws no more.

    It does not wait long to come back: it may hold what those who draw are waiting for.
    """
    was_drawing = _is_drawing()
    _leave()
    yield
    if was_drawing:
        _here.is_drawing = _here.room.acquire(timeout=PATIENCE)


def _is_drawing() -> bool:
    return getattr(_here, "is_drawing", False)


def _enter() -> None:
    while not _here.room.acquire(timeout=LOOK):
        look_up()
    _here.is_drawing = True


def _leave() -> None:
    if _is_drawing():
        _here.is_drawing = False
        _here.room.release()
