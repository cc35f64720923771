"""Canonical Huffman coding of bytes, with the code in the payload.

    varint  number of symbols; nothing follows when it is 0
    byte    the largest symbol
    byte    width w of the longest code length; 0: only the largest symbol occurs, nothing follows
    packed  the code lengths of symbols 0 to the largest, w bits each; 0: the symbol does not occur
    bits    the code words, highest bit first, the last byte padded with zeros

The code words follow from the lengths alone (`prefix_code`).
"""

from dataclasses import dataclass

import numpy as np

from quantlib.coding.packing import pack, packed_size, unpack
from quantlib.coding.prefix_code import canonical_codes, checked, code_lengths, cost
from quantlib.coding.varint import read_varint, varint
from quantlib.errors import QuantlibError

MAX_SYMBOLS = 1 << 26  # no payload, whatever it announces, decodes to more than 64 MiB
# A word of L bits needs counts that sum to the Fibonacci number F(L + 2); F(40) > MAX_SYMBOLS.
MAX_LENGTH = 37
WINDOW = 12
ENCODE_BLOCK = 1 << 18  # symbols
DECODE_BLOCK = 1 << 16  # bits
STRIDE = 8  # symbols that one step of the decoder passes over


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
    symbols = symbols.reshape(-1)
    counts = np.bincount(symbols)
    lengths = code_lengths(counts)
    width = int(lengths.max()).bit_length()
    head += bytes([len(counts) - 1, width])
    if width == 0:
        return head
    bits = int(counts @ lengths.astype(np.int64))
    return head + pack(lengths, width, signed=False) + _code_bits(symbols, lengths, bits)


def decode(payload: bytes) -> np.ndarray:
    """The `uint8 (symbols,)` that `encode` turned into `payload`.

    Raises QuantlibError for anything that `encode` cannot have written.

    >>> decode(bytes.fromhex("08 03 02 a1 35 80")).tolist()
    [0, 0, 3, 0, 2, 3, 0, 0]
    """
    count, at = _read_count(payload)
    if count > MAX_SYMBOLS:
        raise _corrupt(f"it announces {count} symbols")
    if count == 0:
        _expect_end(payload, at)
        return np.zeros(0, np.uint8)
    if len(payload) < at + 2:
        raise _corrupt("it ends inside its header")
    largest, width = payload[at], payload[at + 1]
    at += 2
    if width == 0:
        _expect_end(payload, at)
        return np.full(count, largest, np.uint8)
    end = at + packed_size(largest + 1, width)
    if width > MAX_LENGTH.bit_length() or len(payload) < end:
        raise _corrupt("its code table is incomplete")
    lengths = unpack(payload[at:end], width, signed=False, shape=(largest + 1,))
    longest = int(lengths.max())
    if longest > MAX_LENGTH or longest.bit_length() != width or lengths[largest] == 0:
        raise _corrupt("its code lengths are impossible")
    if sum(1 << longest - int(n) for n in lengths if n) != 1 << longest:
        raise _corrupt("its code lengths are those of no complete prefix code")
    if count > 8 * (len(payload) - end):
        raise _corrupt("it ends before its last symbol")
    return _decoded(np.frombuffer(payload, np.uint8, offset=end), lengths, count)


def _read_count(payload: bytes) -> tuple[int, int]:
    try:
        return read_varint(payload)
    except ValueError as error:
        raise _corrupt("it does not begin with a number of symbols") from error


def _corrupt(what: str) -> QuantlibError:
    return QuantlibError(f"The Huffman payload is damaged: {what}; write or fetch the file again.")


def _expect_end(payload: bytes, at: int) -> None:
    if len(payload) != at:
        raise _corrupt("bytes follow its end")


def _code_bits(symbols: np.ndarray, lengths: np.ndarray, bits: int) -> bytes:
    """Code words joined to `bits` bits in 64-bit words; each lies in one word or in two."""
    lengths = lengths.astype(np.int64)
    # Every code word moved to the top of a 64-bit word.
    codes = canonical_codes(lengths)
    tops = np.array(
        [codes[s] << 64 - n if n else 0 for s, n in enumerate(lengths.tolist())], np.uint64
    )
    words = np.zeros((bits + 63) // 64 + 1, np.uint64)
    offset = 0
    for start in range(0, symbols.size, ENCODE_BLOCK):
        block = symbols[start : start + ENCODE_BLOCK]
        ends = np.cumsum(lengths[block])
        ends += offset
        starts = np.empty_like(ends)
        starts[0], starts[1:] = offset, ends[:-1]
        offset = int(ends[-1])
        top, word, shift = tops[block], starts >> 6, (starts & 63).astype(np.uint64)
        first = np.flatnonzero(np.diff(word, prepend=-1))
        words[word[first]] |= np.bitwise_or.reduceat(top >> shift, first)
        split = np.flatnonzero((ends - 1) >> 6 > word)
        words[word[split] + 1] |= top[split] << (np.uint64(64) - shift[split])
    return words.astype(">u8").tobytes()[: (bits + 7) // 8]


def _decoded(data: np.ndarray, lengths: np.ndarray, count: int) -> np.ndarray:
    """Looks up the symbol at every bit position, then follows the chain of those that count."""
    order = np.lexsort((np.arange(len(lengths)), lengths))
    order = order[lengths[order] > 0]
    codes, sorted_lengths = canonical_codes(lengths), lengths[order].tolist()
    longest = sorted_lengths[-1]
    tops = np.array(
        [codes[s] << 64 - n for s, n in zip(order.tolist(), sorted_lengths, strict=True)],
        np.uint64,
    )
    window = min(longest, WINDOW)
    # The symbol that a window begins with; from `first_long` on its word is longer than the window.
    heads = np.arange(1 << window, dtype=np.uint64) << np.uint64(64 - window)
    table = order[np.searchsorted(tops, heads, "right") - 1].astype(np.uint8)
    short = [n for n in sorted_lengths if n <= window]
    first_long = sum(1 << window - n for n in short)
    lengths = lengths.astype(np.int64)

    out = np.empty(count, np.uint8)
    padded = np.concatenate([data, np.zeros(8, np.uint8)])
    done = position = 0
    block_bytes = DECODE_BLOCK // 8
    for start in range(0, len(data), block_bytes):
        size = min(block_bytes, len(data) - start)
        raw = padded[start : start + size + 8]
        windows = _windows(raw, window)
        symbols = table[windows]
        if longest > window:
            far = np.flatnonzero(windows >= first_long)
            symbols[far] = order[np.searchsorted(tops, _peek(raw, far), "right") - 1]
        end = 8 * size
        # A position beyond the block follows itself, so that every stride stops there.
        following = np.arange(end + longest)
        following[:end] += lengths[symbols]
        stride = following
        for _ in range(STRIDE.bit_length() - 1):
            stride = stride[stride]
        anchors = []
        while position < end:
            anchors.append(position)
            position = stride.item(position)
        rows = np.empty((len(anchors), STRIDE), np.int64)
        step = np.array(anchors, np.int64)
        for i in range(STRIDE):
            rows[:, i] = step
            step = following[step]
        visited = rows.reshape(-1)
        visited = visited[visited < end][: count - done]
        out[done : done + len(visited)] = symbols[visited]
        done += len(visited)
        position -= end
        if done == count:
            used = 8 * start + int(following[visited[-1]])
            break
    else:
        raise _corrupt("it ends before its last symbol")
    if (used + 7) // 8 != len(data) or (used % 8 and data[-1] & (255 >> used % 8)):
        raise _corrupt("its last byte is not where its code words end")
    return out


def _windows(raw: np.ndarray, window: int) -> np.ndarray:
    """The `window` bits, 12 at most, from every bit position on, except in the last 8 bytes."""
    words = raw[:-8].astype(np.uint32) << np.uint32(16)
    words |= raw[1:-7].astype(np.uint32) << np.uint32(8)
    words |= raw[2:-6]
    out = np.empty((len(words), 8), np.uint16)
    for i in range(8):
        out[:, i] = words >> np.uint32(24 - window - i) & np.uint32((1 << window) - 1)
    return out.reshape(-1)


def _peek(raw: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """The 57 bits or more from each bit position on, moved to the top of a 64-bit word."""
    at = positions >> 3
    words = np.zeros(len(positions), np.uint64)
    for i in range(8):
        words |= raw[at + i].astype(np.uint64) << np.uint64(56 - 8 * i)
    return words << (positions & 7).astype(np.uint64)
