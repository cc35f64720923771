"""What caches need beside Streamlit's."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
HashFuncs = dict[str | type[Any], Callable[[Any], Any]]
"""By type, what its objects go by in a cache."""


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


def recalled(known: dict[K, V], key: K, make: Callable[[], V], most: int) -> V:
    """What is known under `key`, or what `make` gives now, which others find afterwards.

    >>> recalled({"a": 1}, "a", lambda: 2, most=2), recalled({"a": 1}, "b", lambda: 2, most=2)
    (1, 2)
    """
    found = known.get(key)
    return keep(known, key, make(), most) if found is None else found
