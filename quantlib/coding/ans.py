"""Asymmetric numeral systems: rows of integers, each with its own frequencies, in one stream.

    varint  number of rows R
    varint  symbols per row N; nothing follows when R·N is 0
    tables  for every row: the smallest symbol (zigzag varint), the number of consecutive symbols
            S (varint), and where S > 1 the S frequencies (varints)
    varint  number of words W
    words   of the coder, 32 bits each, little-endian

The coder is the streaming rANS of `constriction` (Bamler, arXiv 2201.01741), after Duda (arXiv
1311.2540): its length is within some bits of what the frequencies say, a code word per symbol needs
at least one bit each.
"""

from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

import constriction
import numpy as np

from quantlib.coding import compiled
from quantlib.coding.claims import hold_claim, most_symbols
from quantlib.coding.varint import read_varint, varint
from quantlib.errors import QuantlibError

PRECISION = 12  # frequencies sum to about 2^PRECISION
QUANTILE_BITS = 24  # of the coder; every symbol has one quantile at least
MAX_ALPHABET = 1 << 16
FREE_SYMBOLS = 1 << 25  # of a payload of any length; more take a byte for every 32
BLOCK = 1 << 20  # symbols that the coder decodes at once

_stream: Any = constriction.stream  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Table:
    """Symbols `smallest`, `smallest` + 1, … of a row with their `frequencies`, `int64 (S,)`."""

    smallest: int
    frequencies: np.ndarray

    def to_bytes(self) -> bytes:
        size = len(self.frequencies)
        known = b"".join(map(varint, self.frequencies.tolist())) if size > 1 else b""
        return varint(_zigzag(self.smallest)) + varint(size) + known

    def bounds(self) -> np.ndarray:
        """Where the quantiles of every symbol begin and end, `uint64 (S + 1,)`, as in `model`."""
        size = self.frequencies.size
        shares = self.frequencies / self.frequencies.sum()
        scale = ((1 << QUANTILE_BITS) - size) / shares.cumsum()[-1]
        ends = (shares.cumsum() * scale).astype(np.uint64) + np.arange(1, size + 1, dtype=np.uint64)
        return np.concatenate([[0], ends[:-1], [1 << QUANTILE_BITS]]).astype(np.uint64)

    def model(self) -> Any:
        shares = self.frequencies / self.frequencies.sum()
        return _stream.model.Categorical(shares, perfect=False)


def encode(rows: np.ndarray) -> bytes:
    """The self-contained payload of integers `(R, N)`.

    >>> payload = encode(np.array([[0, 0, 1, 0], [-7, -7, -7, -7]]))
    >>> decode(payload)
    array([[ 0,  0,  1,  0],
           [-7, -7, -7, -7]], dtype=int32)

    Raises a QuantlibError for other shapes, for rows that span 65536 symbols or more, beyond 32
    bits, and for so many nearly constant rows that `decode` would not believe them.
    """
    rows = np.asarray(rows)
    if rows.ndim != 2 or not np.issubdtype(rows.dtype, np.integer):
        raise QuantlibError("ANS codes integers in rows, an array (R, N).")
    head = varint(rows.shape[0]) + varint(rows.shape[1])
    if not rows.size:
        return head
    tables = [table_of(row) for row in rows]
    coder = _stream.stack.AnsCoder()
    for row, table in zip(rows[::-1], tables[::-1], strict=True):
        if len(table.frequencies) > 1:
            coder.encode_reverse(_above(row, table.smallest).astype(np.int32), table.model())
    words = coder.get_compressed().astype("<u4")
    known = (table.to_bytes() for table in tables)
    payload = b"".join([head, *known, varint(words.size), words.tobytes()])
    if rows.size > most_symbols(payload, FREE_SYMBOLS):
        raise QuantlibError(
            f"{rows.size} integers are too many for one payload; code them in parts."
        )
    return payload


def decode(payload: bytes, limit: int | None = None) -> np.ndarray:
    """The integers `(R, N)`, `int32`, of a payload.

    Raises a QuantlibError when it is damaged, and for more than `limit` symbols, before memory is
    taken for them; without a limit for more than `FREE_SYMBOLS` and 32 a byte.
    """
    shape, tables, at = _read_head(payload)
    most = most_symbols(payload, FREE_SYMBOLS) if limit is None else limit
    hold_claim(shape[0] * shape[1], most)
    words = np.frombuffer(payload, "<u4", offset=at).astype(np.uint32)
    if words.size and not words[-1]:
        raise _damaged()
    decoded = np.empty(shape, np.int32)
    coded = []
    for row, table in zip(decoded, tables, strict=bool(tables)):
        row[:] = table.smallest
        if len(table.frequencies) > 1:
            coded.append((row, table))
    kernels = compiled.kernels()
    decode_rows = partial(_by_kernel, kernels) if kernels else _by_constriction
    if not decode_rows(words, coded):
        raise _damaged()
    return decoded


def _by_constriction(words: np.ndarray, rows: list[tuple[np.ndarray, Table]]) -> bool:
    """Adds the symbols to the rows, in place; False where the words do not end with them."""
    coder = _stream.stack.AnsCoder(words)
    for row, table in rows:
        model = table.model()
        for start in range(0, row.size, BLOCK):
            block = row[start : start + BLOCK]
            block += coder.decode(model, block.size)
    return coder.is_empty()


def _by_kernel(
    kernels: ModuleType, words: np.ndarray, rows: list[tuple[np.ndarray, Table]]
) -> bool:
    # The last two words are the state that the coder begins with.
    left, state = max(words.size - 2, 0), 0
    for word in words[left:].tolist()[::-1]:
        state = state << 32 | word
    for row, table in rows:
        left, state = kernels.rans(words, left, state, table.bounds(), row)
    return state == 0


def table_bytes(payload: bytes) -> int:
    """How many bytes of a payload of `encode` come before the words."""
    return _read_head(payload)[2]


def table_of(row: np.ndarray) -> Table:
    """Frequencies of the integers of one row; what occurs has at least one."""
    smallest, largest = int(row.min()), int(row.max())
    if not -(1 << 31) <= smallest <= largest < 1 << 31:
        raise QuantlibError("ANS codes integers of 32 bits; these are larger: scale them.")
    if largest - smallest >= MAX_ALPHABET:
        raise QuantlibError("These integers span too many values for ANS; choose larger steps.")
    counts = np.bincount(_above(row, smallest))
    scaled = np.round(counts * ((1 << PRECISION) / row.size)).astype(np.int64)
    return Table(smallest, np.where(counts > 0, np.maximum(scaled, 1), 0))


def _above(row: np.ndarray, smallest: int) -> np.ndarray:
    return row.astype(np.int64) - smallest  # the difference may leave the row's own type


def _read_head(payload: bytes) -> tuple[tuple[int, int], list[Table], int]:
    try:
        rows, at = read_varint(payload)
        length, at = read_varint(payload, at)
        if length and rows > len(payload):
            raise _damaged()
        tables = []
        for _ in range(rows if length else 0):
            table, at = _read_table(payload, at)
            tables.append(table)
        words, at = read_varint(payload, at) if tables else (0, at)
    except ValueError as error:
        raise _damaged() from error
    if len(payload) - at != 4 * words:
        raise _damaged()
    return (rows, length), tables, at


def _read_table(payload: bytes, at: int) -> tuple[Table, int]:
    folded, at = read_varint(payload, at)
    size, at = read_varint(payload, at)
    if not 1 <= size <= min(MAX_ALPHABET, max(1, len(payload) - at)) or folded >> 32:
        raise _damaged()
    smallest = (folded >> 1) ^ -(folded & 1)
    if not -(1 << 31) <= smallest <= (1 << 31) - size:
        raise _damaged()
    if size == 1:
        return Table(smallest, np.ones(1, np.int64)), at
    frequencies = np.empty(size, np.int64)
    for i in range(size):
        frequency, at = read_varint(payload, at)
        if frequency > 1 << PRECISION:
            raise _damaged()
        frequencies[i] = frequency
    if not frequencies.any():
        raise _damaged()
    return Table(smallest, frequencies), at


def _zigzag(number: int) -> int:
    return number << 1 if number >= 0 else ~(number << 1)


def _damaged() -> QuantlibError:
    return QuantlibError("The ANS payload is cut off or damaged.")
