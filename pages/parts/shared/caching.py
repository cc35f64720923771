"""Results that are made once for whoever asks, within so many bytes."""

import hashlib
import inspect
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import update_wrapper
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar
from weakref import WeakSet

from pages.parts.shared.drawing import stepping_aside
from pages.parts.shared.errand import look_up
from pages.parts.shared.held_bytes import held_bytes
from pages.parts.shared.worker import LOOK, is_worker
from quantlib.stopping import go_on

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
P = ParamSpec("P")
T = TypeVar("T")


class _Kept(NamedTuple):
    value: Any
    size: int


@dataclass(eq=False)
class _Flight:
    """Somebody who is making a result; `by_worker` where that needs no further thread."""

    by_worker: bool
    landed: threading.Event = field(default_factory=threading.Event)


class Shared(Generic[P, T]):
    """A function whose results are kept; beyond `most_bytes`, those used last.

    Arguments whose names begin with an underscore do not tell results apart; of others that have a
    `key`, the key does, and of bytes their digest. Who asks for what is being made waits for that,
    until they leave. On a worker nobody waits for who waits for a worker.

    >>> asked = []
    >>> @shared(megabytes=1)
    ... def square(number: int, _why: str) -> int:
    ...     asked.append(number)
    ...     return number**2
    >>> square(3, "to see"), square(3, "again"), asked, square.known(3), square.known(4)
    (9, 9, [3], 9, None)
    """

    def __init__(self, make: Callable[P, T], most_bytes: int) -> None:
        update_wrapper(self, make)
        self._make, self._most = make, most_bytes
        names = inspect.signature(make).parameters
        self._telling = [at for at, name in enumerate(names) if not name.startswith("_")]
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()  # used last comes last
        self._flights: dict[Hashable, _Flight] = {}
        self._lock = threading.Lock()
        _all.add(self)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        assert not kwargs, "arguments go by their places"
        key = self._key(args)
        while True:
            with self._lock:
                if (kept := self._kept.get(key)) is not None:
                    self._kept.move_to_end(key)
                    return kept.value
                flight = self._flights.get(key)
                if flight is None or (is_worker() and not flight.by_worker):
                    mine = self._flights[key] = _Flight(is_worker())
                    break
            with stepping_aside():
                while not flight.landed.wait(LOOK):
                    look_up()
                    go_on()
        return self._fly(mine, key, *args)

    def known(self, *telling: Any) -> T | None:
        """The result where it is kept, by the arguments that tell results apart."""
        with self._lock:
            kept = self._kept.get(_told_by(telling))
        return None if kept is None else kept.value

    @property
    def bytes(self) -> int:
        """What is kept, as `held_bytes` counts it."""
        with self._lock:
            return sum(kept.size for kept in self._kept.values())

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()

    def _fly(self, mine: _Flight, key: Hashable, *args: Any) -> T:
        try:
            made = self._make(*args)  # type: ignore[call-arg]
            size = held_bytes(made)
            with self._lock:
                self._kept[key] = _Kept(made, size)
                self._let_go()
            return made
        finally:
            with self._lock:
                if self._flights.get(key) is mine:
                    del self._flights[key]
            mine.landed.set()

    def _let_go(self) -> None:
        size = sum(kept.size for kept in self._kept.values())
        while size > self._most and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            size -= oldest.size

    def _key(self, args: tuple[Any, ...]) -> Hashable:
        return _told_by(tuple(args[at] for at in self._telling))


def _told_by(argument: Any) -> Hashable:
    """What stands for an argument: its key, the digest of bytes, or itself."""
    if isinstance(argument, bytes):
        return hashlib.sha256(argument).digest()
    if isinstance(argument, tuple):
        return tuple(map(_told_by, argument))
    return getattr(argument, "key", argument)


_all: WeakSet[Shared] = WeakSet()


def shared(megabytes: int) -> Callable[[Callable[P, T]], Shared[P, T]]:
    """A decorator: see `Shared`."""
    return lambda make: Shared(make, megabytes * 2**20)


def forget_all() -> None:
    """Forgets every result that is kept."""
    for one in list(_all):
        one.clear()


def keep(known: dict[K, V], key: K, value: V, most: int) -> V:
    """Adds `value` to a cache that pages look into; the oldest beyond `most` are forgotten.

    >>> known = {"a": 1, "b": 2}
    >>> keep(known, "c", 3, most=2), known
    (3, {'b': 2, 'c': 3})
    """
    for old in list(known)[: max(0, len(known) + 1 - most)]:
        known.pop(old, None)
    known[key] = value
    return value
