"""How much memory a value holds."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from itertools import chain
from typing import Any

import numpy as np
from torch import Tensor, nn

LEAST = 64  # bytes of anything


def held_bytes(value: Any) -> int:
    """Bytes of the arrays, tensors, parameters and texts that can be reached from `value`.

    What several parts share counts once; a view counts as all of what it is a view of.

    >>> picture = np.zeros((100, 100, 3), np.uint8)
    >>> held_bytes({"a": picture, "b": picture, "c": picture[:10]}) // 1000
    30
    """
    size, seen, waiting = 0, set(), [value]
    while waiting:
        one = waiting.pop()
        name, own = _name_and_bytes(one)
        if name not in seen:
            seen.add(name)
            size += own
            waiting.extend(_parts(one))
    return size


def _name_and_bytes(value: Any) -> tuple[object, int]:
    """What tells the memory of `value` itself from that of others, and how much it is."""
    if isinstance(value, Tensor):
        storage = value.untyped_storage()
        return ("storage", storage.data_ptr()), storage.nbytes()
    if isinstance(value, np.ndarray):
        while isinstance(value.base, np.ndarray):
            value = value.base
        return id(value), value.nbytes
    return id(value), len(value) if isinstance(value, bytes | str) else LEAST


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, np.ndarray | Tensor | bytes | str):
        return ()
    if isinstance(value, Mapping):
        return chain(value.keys(), value.values())
    if isinstance(value, Sequence | Set):
        return value
    if isinstance(value, nn.Module):
        own = (part for name, part in vars(value).items() if not name.startswith("_"))
        return chain(value.parameters(), value.buffers(), own)
    if is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, one.name) for one in fields(value)]
    return ()
