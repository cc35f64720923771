"""A line in which visitors take turns, however much each of them has put there."""

import threading
from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class FairLine(Generic[T]):
    """What is taken next is the first of the visitor whose turn was longest ago.

    >>> line = FairLine()
    >>> for visitor, piece in [("a", "a1"), ("a", "a2"), ("a", "a3"), ("b", "b1")]:
    ...     line.put(visitor, piece)
    >>> [line.take() for _ in range(4)]
    ['a1', 'b1', 'a2', 'a3']
    """

    def __init__(self) -> None:
        self._waiting: OrderedDict[Hashable, deque[T]] = OrderedDict()  # by whose turn it is
        self._lock = threading.Lock()

    def put(self, visitor: Hashable, piece: T) -> None:
        with self._lock:
            self._waiting.setdefault(visitor, deque()).append(piece)

    def take(self) -> T:
        """LookupError where nothing waits."""
        with self._lock:
            visitor = next(iter(self._waiting), None)
            if visitor is None and not self._waiting:
                raise LookupError("nothing waits")
            pieces = self._waiting[visitor]
            piece = pieces.popleft()
            if pieces:
                self._waiting.move_to_end(visitor)
            else:
                del self._waiting[visitor]
            return piece
