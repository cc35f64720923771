"""What visitors dropped, for a while and within bounds, by a secret that nobody else has."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

MOST_BYTES = 1_000_000_000  # of all visitors together: ten pictures of 24 megapixels, or more
SECONDS = 30 * 60.0  # after the last use


class _Kept(NamedTuple):
    value: Any
    size: int
    used: float


class Keep:
    """Values under a visitor's secret and a name; beyond the bounds, those used last stay.

    >>> keep = Keep(most_bytes=10)
    >>> keep.put("secret", "picture", "a cat", size=8)
    >>> keep.get("secret", "picture"), keep.get("another secret", "picture")
    ('a cat', None)
    >>> keep.put("another secret", "picture", "a dog", size=8)
    >>> keep.get("secret", "picture") is None
    True
    """

    def __init__(
        self,
        most_bytes: int = MOST_BYTES,
        seconds: float = SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._seconds, self._clock = most_bytes, seconds, clock
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()  # used last comes last
        self._lock = threading.Lock()
        self._sweeping = False

    def put(self, secret: str, name: str, value: Any, size: int) -> None:
        """Keeps a value of `size` bytes in place of the one of that name."""
        with self._lock:
            self._kept[secret, name] = _Kept(value, size, self._clock())
            self._kept.move_to_end((secret, name))
            self._let_go()
            self._sweep_later()

    def get(self, secret: str, name: str) -> Any | None:
        """The value, if it is still there, for as long again."""
        with self._lock:
            self._let_go()
            found = self._kept.get((secret, name))
            if found is None:
                return None
            self._kept[secret, name] = found._replace(used=self._clock())
            self._kept.move_to_end((secret, name))
            return found.value

    def drop(self, secret: str, name: str) -> None:
        with self._lock:
            self._kept.pop((secret, name), None)

    def knows(self, secret: str) -> bool:
        """Whether anything is kept under a secret."""
        with self._lock:
            self._let_go()
            return any(one == secret for one, _ in self._kept)

    def _let_go(self) -> None:
        oldest = self._clock() - self._seconds
        size = sum(one.size for one in self._kept.values())
        for key, one in list(self._kept.items()):
            if one.used >= oldest and size <= self._most:
                return
            size -= one.size
            del self._kept[key]

    def _sweep_later(self) -> None:
        """Lets go in time, also where nobody comes any more."""
        if self._kept and not self._sweeping:
            self._sweeping = True
            timer = threading.Timer(self._seconds + 1, self._sweep)
            timer.daemon = True
            timer.start()

    def _sweep(self) -> None:
        with self._lock:
            self._sweeping = False
            self._let_go()
            self._sweep_later()
