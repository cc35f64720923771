"""Canonical Huffman coding of bytes, with the code in the payload.

    varint  number of symbols; nothing follows when it is 0
    byte    the largest symbol
    byte    width w of the longest code length; 0: only the largest symbol occurs, nothing follows
    packed  the code lengths of symbols 0 to the largest, w bits each; 0: the symbol does not occur
    bits    the code words, highest bit first, the last byte padded with zeros

The code words follow from the lengths alone (`prefix_code`).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from quantlib.coding import compiled
from quantlib.coding.claims import hold_claim
from quantlib.coding.code_words import PrefixCode
from quantlib.coding.packing import pack, packed_size, unpack
from quantlib.coding.prefix_code import checked, code_lengths, cost
from quantlib.coding.varint import read_varint, varint
from quantlib.errors import QuantlibError

MAX_SYMBOLS = 1 << 26  # no payload, whatever it announces, decodes to more than 64 MiB
# A word of L bits needs counts that sum to the Fibonacci number F(L + 2); F(40) > MAX_SYMBOLS.
MAX_LENGTH = 37


@dataclass(frozen=True)
class PayloadSize:
    """Bytes of a payload: `table` describes the code, `data` holds the code words."""

    table: int
    data: int

    @property
    def total(self) -> int:
        return self.table + self.data


def payload_size(counts: np.ndarray) -> PayloadSize:
    """What `encode` would need for symbols with these counts, to the byte, without coding them.

    >>> size = payload_size(np.array([5, 0, 1, 2]))
    >>> size.table, size.data, size.total
    (4, 2, 6)
    """
    values = checked(counts)
    total = sum(values)
    table = max(1, -(-total.bit_length() // 7))  # the varint
    if total == 0:
        return PayloadSize(table, 0)
    while not values[-1]:
        values.pop()
    bits, longest = cost(sorted(filter(None, values)))
    entries = -(-len(values) * longest.bit_length() // 8)
    return PayloadSize(table + 2 + entries, (bits + 7) // 8)


def encode(symbols: np.ndarray) -> bytes:
    """`uint8` symbols of any shape, in C order, as a payload that decodes without further help.

    Raises QuantlibError for another type than uint8 or more than 2**26 symbols.

    >>> encode(np.array([0, 0, 3, 0, 2, 3, 0, 0], np.uint8)).hex(" ")
    '08 03 02 a1 35 80'
    """
    symbols = np.asarray(symbols)
    if symbols.dtype != np.uint8:
        raise QuantlibError(f"Huffman symbols are uint8, not {symbols.dtype}; cast them first.")
    if symbols.size > MAX_SYMBOLS:
        raise QuantlibError(
            f"{symbols.size} symbols are more than {MAX_SYMBOLS}; code them in several parts."
        )
    head = varint(symbols.size)
    if symbols.size == 0:
        return head
    symbols = np.ascontiguousarray(symbols).reshape(-1)
    counts = _counts(symbols)
    lengths = code_lengths(counts)
    if not lengths.any():
        return head + bytes([len(counts) - 1, 0])
    table, code = _table(lengths.tobytes())
    return head + table + code.join(symbols, int(counts @ lengths.astype(np.int64)))


@lru_cache(1 << 10)  # channels often share a code
def _table(lengths: bytes) -> tuple[bytes, PrefixCode]:
    """The bytes from the largest symbol to the code lengths, and the code."""
    known = np.frombuffer(lengths, np.uint8)
    width = max(lengths).bit_length()
    head = bytes([len(lengths) - 1, width])
    return head + pack(known, width, signed=False), PrefixCode(known)


@lru_cache(1 << 10)
def _code(table: bytes) -> PrefixCode:
    """The code that `_table` has described; QuantlibError where there is none."""
    largest, width = table[:2]
    lengths = unpack(table[2:], width, signed=False, shape=(largest + 1,)).astype(np.uint8)
    longest = int(lengths.max())
    if longest > MAX_LENGTH or longest.bit_length() != width or lengths[largest] == 0:
        raise _corrupt("its code lengths are impossible")
    if sum(1 << longest - n for n in lengths.tolist() if n) != 1 << longest:
        raise _corrupt("its code lengths are those of no complete prefix code")
    return PrefixCode(lengths)


def _counts(symbols: np.ndarray) -> np.ndarray:
    """How often each symbol from 0 to the largest occurs."""
    if not (kernels := compiled.kernels()):
        return np.bincount(symbols)
    counts = np.zeros(256, np.int64)
    kernels.count(symbols, counts)
    return counts[: counts.nonzero()[0][-1] + 1]


def table_bytes(payload: bytes) -> int:
    """How many bytes of a payload of `encode` come before the code words."""
    return _read_head(payload).end


def decode(payload: bytes, limit: int = MAX_SYMBOLS) -> np.ndarray:
    """The `uint8 (symbols,)` that `encode` turned into `payload`.

    Raises QuantlibError for anything that `encode` cannot have written, and for more than `limit`
    symbols, before memory is taken for them: a symbol that occurs alone costs no bits.

    >>> decode(bytes.fromhex("08 03 02 a1 35 80")).tolist()
    [0, 0, 3, 0, 2, 3, 0, 0]
    """
    head = _read_head(payload)
    hold_claim(head.count, min(limit, MAX_SYMBOLS))
    data = np.frombuffer(payload, np.uint8, offset=head.end)
    if head.code is None:
        if data.size:
            raise _corrupt("bytes follow its end")
        return np.full(head.count, head.largest, np.uint8)
    if head.count > 8 * data.size:
        raise _corrupt("it ends before its last symbol")
    symbols, bits = head.code.part(data, head.count)
    if symbols.size < head.count or bits > 8 * data.size:
        raise _corrupt("it ends before its last symbol")
    if (bits + 7) // 8 != data.size or (bits % 8 and data[-1] & (255 >> bits % 8)):
        raise _corrupt("its last byte is not where its code words end")
    return symbols


@dataclass(frozen=True)
class _Head:
    """`count` symbols up to `largest`, whose code words begin at byte `end`; one has no `code`."""

    count: int
    largest: int
    code: PrefixCode | None
    end: int


def _read_head(payload: bytes) -> _Head:
    try:
        count, at = read_varint(payload)
    except ValueError as error:
        raise _corrupt("it does not begin with a number of symbols") from error
    if count == 0:
        return _Head(0, 0, None, at)
    if len(payload) < at + 2:
        raise _corrupt("it ends inside its header")
    largest, width = payload[at], payload[at + 1]
    end = at + 2 + packed_size(largest + 1, width)
    if width > MAX_LENGTH.bit_length() or len(payload) < end:
        raise _corrupt("its code table is incomplete")
    return _Head(count, largest, _code(payload[at:end]) if width else None, end)


def _corrupt(what: str) -> QuantlibError:
    return QuantlibError(f"The Huffman payload is damaged: {what}; write or fetch the file again.")
