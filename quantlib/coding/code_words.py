"""Code words to bits and back: compiled, and in a plain form in NumPy."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from quantlib.coding import compiled
from quantlib.coding.prefix_code import canonical_codes

WINDOW = 12
ENCODE_BLOCK = 1 << 18  # symbols
DECODE_BLOCK = 1 << 16  # bits
STRIDE = 8  # symbols that one step of the decoder passes over


@dataclass(frozen=True, eq=False)
class PrefixCode:
    """A complete prefix code; `lengths` `uint8 (S,)` are those of the words of symbols 0, 1, …"""

    lengths: np.ndarray

    @cached_property
    def tops(self) -> np.ndarray:
        """Every symbol's word at the top of 64 bits, `uint64 (S,)`."""
        codes = zip(canonical_codes(self.lengths), self.lengths.tolist(), strict=True)
        return np.array([code << 64 - n if n else 0 for code, n in codes], np.uint64)

    @cached_property
    def order(self) -> np.ndarray:
        """The symbols that have words by rising word, `uint8`."""
        order = np.argsort(self.lengths, stable=True)
        return order[self.lengths[order] > 0].astype(np.uint8)

    @cached_property
    def _ordered(self) -> tuple[np.ndarray, np.ndarray]:
        return self.lengths[self.order], self.tops[self.order]

    @cached_property
    def _group(self) -> tuple[np.ndarray, int]:
        """The lengths as words, and how many code words are no longer than 57 bits."""
        return self.lengths.astype(np.uint64), 57 // int(self.lengths.max())

    def join(self, symbols: np.ndarray, bits: int) -> bytes:
        """The words of `symbols` `uint8 (N,)`, highest bit first, joined to `bits` bits."""
        if not (kernels := compiled.kernels()):
            return _joined(symbols, self.lengths.astype(np.int64), self.tops, bits)
        size = (bits + 7) // 8
        out = np.empty(size + 8, np.uint8)
        kernels.join(symbols, self.tops, *self._group, out)
        return out[:size].tobytes()

    def part(self, data: np.ndarray, count: int) -> tuple[np.ndarray, int]:
        """The `uint8 (count,)` symbols whose words `data` begins with, and the bits they take.

        There are fewer symbols where the data end before them.
        """
        if not (kernels := compiled.kernels()):
            return _parted(data, self.lengths, self.order, self._ordered[1], count)
        out = np.empty(count, np.uint8)
        done, bits = kernels.part(data, self.order, *self._ordered, out)
        return out[:done], bits


def _joined(symbols: np.ndarray, lengths: np.ndarray, tops: np.ndarray, bits: int) -> bytes:
    """Code words are put into 64-bit words; each lies in one word or in two."""
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


def _parted(
    data: np.ndarray, lengths: np.ndarray, order: np.ndarray, tops: np.ndarray, count: int
) -> tuple[np.ndarray, int]:
    """Looks up the symbol at every bit position, then follows the chain of those that count."""
    sorted_lengths = lengths[order].tolist()
    longest = sorted_lengths[-1]
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
            return out, 8 * start + int(following[visited[-1]])
    return out[:done], 8 * len(data) + position


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
