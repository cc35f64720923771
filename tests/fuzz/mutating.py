"""Damage done to the bytes of real files."""

import numpy as np

LOUD = (0x00, 0x01, 0x7F, 0x80, 0xFF)


def mutated(data: bytes, random: np.random.Generator) -> bytes:
    """`data` with one to four damages: bytes changed, cut out, doubled, moved or left off."""
    for _ in range(random.integers(1, 5)):
        if data:
            data = _damaged(data, random)
    return data


def _damaged(data: bytes, random: np.random.Generator) -> bytes:
    length = len(data)
    start = int(random.integers(length))
    end = min(length, start + int(2 ** random.uniform(0, 6)))
    some = data[start:end]
    match random.integers(7):
        case 0:
            some = bytes([data[start] ^ 1 << int(random.integers(8))]) + some[1:]
        case 1:
            some = random.bytes(len(some))
        case 2:
            some = bytes([LOUD[random.integers(len(LOUD))]]) * len(some)
        case 3:
            some = b""
        case 4:
            some = some * int(random.integers(2, 5))
        case 5:
            other = int(random.integers(length))
            some = data[other : other + len(some)]
        case _:
            return data[:start]
    return data[:start] + some + data[end:]
