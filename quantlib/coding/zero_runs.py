"""Huffman coding of signed integers, with runs of zeros as symbols of their own.

    varint   number of integers N; nothing follows when it is 0
    varint   number of bytes of the Huffman payload
    Huffman  symbols: 0 and 1 are digits of a run of zeros, z + 1 is the integer with the zigzag
             number z = 1 to 253, 255 stands for any other integer
    varints  zigzag numbers of the integers that the symbol 255 stands for, in their order

A run of r zeros is r + 1 in binary without its leading 1, the lowest digit first; so every number
of zeros has one spelling (the RUNA and RUNB of bzip2). Zigzag numbers are 0, -1, 1, -2, 2, … as
0, 1, 2, 3, 4, …
"""

import numpy as np

from quantlib.coding import huffman
from quantlib.coding.claims import hold_claim
from quantlib.coding.varint import read_varint, varint
from quantlib.errors import QuantlibError

ESCAPE = 255
MAX_SYMBOLS = huffman.MAX_SYMBOLS
BLOCK = 1 << 16  # symbols
_DIGITS = 2  # the symbols below are digits of runs


def _signed(zigzag: np.ndarray) -> np.ndarray:
    return (zigzag >> 1) ^ -(zigzag & 1)


_INTEGERS = _signed(np.arange(-1, ESCAPE)).astype(np.int32)  # by symbol; digits stand for none


def encode(integers: np.ndarray) -> bytes:
    """The self-contained payload of integers of any shape, read in C order.

    Raises QuantlibError for other types, for more than `MAX_SYMBOLS` of them, and beyond 32 bits.

    >>> payload = encode(np.array([0] * 1000 + [-1, 0, 0, 5]))
    >>> len(payload)
    12
    >>> decode(payload)[-5:]
    array([ 0, -1,  0,  0,  5], dtype=int32)
    """
    integers = np.asarray(integers)
    if integers.dtype.kind not in "iu":
        raise QuantlibError(f"Zero runs code integers, not {integers.dtype}; round and cast them.")
    if integers.size > MAX_SYMBOLS:
        raise QuantlibError(
            f"{integers.size} integers are more than {MAX_SYMBOLS}; code them in several parts."
        )
    head = varint(integers.size)
    if integers.size == 0:
        return head
    if integers.min() < -(1 << 31) or integers.max() >= 1 << 31:
        raise QuantlibError("Zero runs code integers of 32 bits; these are larger: scale them.")
    symbols, escaped = _symbols(integers.reshape(-1).astype(np.int64))
    payload = huffman.encode(symbols)
    return b"".join([head, varint(len(payload)), payload, *map(varint, escaped.tolist())])


def decode(payload: bytes, limit: int = MAX_SYMBOLS) -> np.ndarray:
    """The integers `(N,)`, `int32`, of a payload.

    Raises a QuantlibError when it is damaged, and for more than `limit` integers, before memory is
    taken for them.
    """
    try:
        count, at = read_varint(payload)
        length, at = read_varint(payload, at) if count else (0, at)
    except ValueError as error:
        raise _damaged() from error
    end = at + length
    hold_claim(count, min(limit, MAX_SYMBOLS))
    if end > len(payload):
        raise _damaged()
    # Every symbol stands for one integer at least.
    symbols = huffman.decode(payload[at:end], count) if count else np.zeros(0, np.uint8)
    escaped = _signed(_escaped(payload, end, int((symbols == ESCAPE).sum())))
    integers = np.zeros(count, np.int32)
    done = digits = escapes = 0
    for start in range(0, symbols.size, BLOCK):
        block = symbols[start : start + BLOCK]
        other = block[block >= _DIGITS]
        if other.size < block.size:
            lengths, digits = _lengths(block, digits)
            ends = np.cumsum(lengths) + done
            places = ends[block >= _DIGITS] - 1
            done = int(ends[-1])
        else:
            places = slice(done, done + other.size)
            done, digits = done + other.size, 0
        if done > count:
            raise _damaged()
        values = _INTEGERS[other]
        escape = np.flatnonzero(other == ESCAPE)
        values[escape] = escaped[escapes : escapes + escape.size]
        escapes += escape.size
        integers[places] = values
    if done != count:
        raise _damaged()
    return integers


def _symbols(integers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The symbols, `uint8`, and the zigzag numbers that are too large to be one."""
    places = np.flatnonzero(integers)
    zigzag = (integers[places] << 1) ^ (integers[places] >> 63)
    spelled = np.diff(places, prepend=-1, append=integers.size)  # run lengths + 1
    digits = np.frexp(spelled)[1] - 1
    ends = np.cumsum(digits + 1)
    symbols = np.empty(ends[-1] - 1, np.uint8)  # the last run is followed by no integer
    starts = ends - digits - 1
    for i in range(int(digits.max())):
        long = digits > i
        symbols[starts[long] + i] = spelled[long] >> i & 1
    symbols[ends[:-1] - 1] = np.where(zigzag + 1 < ESCAPE, zigzag + 1, ESCAPE)
    return symbols, zigzag[zigzag + 1 >= ESCAPE]


def _lengths(symbols: np.ndarray, digits: int) -> tuple[np.ndarray, int]:
    """How many integers every symbol stands for: a digit d at place i for (d + 1)·2^i zeros.

    `digits` of a run come before the first symbol; the second result are those after the last.
    """
    places = np.arange(symbols.size)
    other = symbols >= _DIGITS
    before = np.maximum.accumulate(np.where(other, places, -1 - digits))
    place = np.where(other, 0, places - before - 1)
    if place.max() > MAX_SYMBOLS.bit_length():
        raise _damaged()
    lengths = np.where(other, 1, symbols.astype(np.int64) + 1 << place)
    return lengths, int(places[-1] - before[-1])


def _escaped(payload: bytes, at: int, count: int) -> np.ndarray:
    numbers = []
    try:
        for _ in range(count):
            number, at = read_varint(payload, at)
            numbers.append(number)
    except ValueError as error:
        raise _damaged() from error
    if at != len(payload) or any(not ESCAPE - 1 <= n < 1 << 32 for n in numbers):
        raise _damaged()
    return np.array(numbers, np.int64)


def _damaged() -> QuantlibError:
    return QuantlibError("The payload of zero runs is cut off or damaged.")
