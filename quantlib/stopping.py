"""Work that ends where it is once nobody waits for it any more."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class StoppedError(Exception):
    """Raised inside work that is not wanted any more; it leaves nothing to keep."""


_unwanted: ContextVar[Callable[[], bool] | None] = ContextVar("unwanted", default=None)


@contextmanager
def stopping_when(unwanted: Callable[[], bool]) -> Iterator[None]:
    """What this thread does inside ends at the next `go_on` once `unwanted()` is true.

    >>> with stopping_when(lambda: True):
    ...     go_on()
    Traceback (most recent call last):
    quantlib.stopping.StoppedError
    """
    token = _unwanted.set(unwanted)
    try:
        yield
    finally:
        _unwanted.reset(token)


def go_on() -> None:
    """A StoppedError where the work of this thread is not wanted any more."""
    unwanted = _unwanted.get()
    if unwanted is not None and unwanted():
        raise StoppedError
