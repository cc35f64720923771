"""Damage done to the bytes of real files, of which the nastiest claims more than there is."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from quantlib.coding.varint import varint

LOUD = (0, 1, 2, 3, 16, 127, 128, 129, 254, 255)
CLAIMS = tuple(n for k in (7, 16, 24, 25, 26, 27, 28, 31, 32, 34) for n in ((1 << k) - 1, 1 << k))
MOST = (1 << 32) - 1

T = TypeVar("T")


def chosen(values: Sequence[T], random: np.random.Generator) -> T:
    return values[int(random.integers(len(values)))]


def mutated(files: Sequence[bytes], random: np.random.Generator) -> bytes:
    """One of `files` with some damage: bytes changed, cut out, moved, added or left off."""
    data = chosen(files, random)
    for _ in range(chosen((1, 1, 2, 3), random)):
        data = _damaged(data, files, random)
    return data


def _damaged(data: bytes, files: Sequence[bytes], random: np.random.Generator) -> bytes:
    start = _place(len(data), random)
    end = min(len(data), start + int(2 ** random.uniform(0, 6)))
    some = data[start:end]
    claim, loud = chosen(CLAIMS, random), bytes([chosen(LOUD, random)])
    match random.integers(12):
        case 0:
            some = bytes([some[0] ^ 1 << int(random.integers(8))]) + some[1:] if some else b""
        case 1:
            some = random.bytes(len(some))
        case 2:
            some = loud * len(some)
        case 3:
            some, end = loud, start + 1
        case 4:
            some = b""
        case 5:
            some = some * int(random.integers(2, 5))
        case 6:
            other = int(random.integers(len(data) + 1))
            some = data[other : other + len(some)]
        case 7:
            some += random.bytes(int(random.integers(1, 20)))
        case 8:
            some, end = varint(claim), _end_of_varint(data, start)
        case 9:
            some, end = min(claim, MOST).to_bytes(4, "little"), start + 4
        case 10:
            other = chosen(files, random)
            return data[:start] + other[_place(len(other), random) :]
        case _:
            return data[: random.integers(len(data) + 1)]
    return data[:start] + some + data[end:]


def _place(length: int, random: np.random.Generator) -> int:
    """Anywhere, or near the beginning, where sizes stand."""
    near = chosen((length, length, 40, 8), random)
    return int(random.integers(min(length, near) + 1))


def _end_of_varint(data: bytes, start: int) -> int:
    end = start
    while end < len(data) and data[end] > 127:
        end += 1
    return end + 1
