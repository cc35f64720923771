"""Codes of a fixed width, packed and unpacked in words of eight codes."""

import numpy as np
from numba import int16, int64, uint8, uint64

from quantlib.coding.kernels.words import compiled, load, store

_BLOCK = 4096  # codes at once
_1, _2, _8 = (uint64(n) for n in (1, 2, 8))
_OF_16, _OF_32, _OF_64 = (  # the lower half of all parts of so many bits
    uint64(n) for n in (0x00FF00FF00FF00FF, 0x0000FFFF0000FFFF, 0x00000000FFFFFFFF)
)


@compiled(
    *(
        f"UniTuple(int64, 2)(Array({of}, 1, 'C', readonly=True), uint64, uint8[::1])"
        for of in ("uint8", "int16", "int32")
    )
)
def pack(codes, bits, out):
    """The lowest `bits` bits of 1 code or more, without a gap; the smallest and the largest code.

    `out` is 8 bytes longer than they take.
    """
    mask, gap = (_1 << bits) - _1, _8 - bits
    gap2, gap4 = gap << _1, gap << _2
    words = np.zeros(_BLOCK // 8, np.uint64)
    fields = words.view(np.uint8)
    smallest = largest = codes[0]
    at = uint64(0)
    for start in range(0, codes.size, _BLOCK):
        block = codes[start : start + _BLOCK]
        for i in range(block.size):
            smallest = min(smallest, block[i])
            largest = max(largest, block[i])
            fields[i] = uint8(block[i]) & mask
        for i in range(block.size, (block.size + 7) & ~7):
            fields[i] = 0
        groups = (block.size + 7) >> 3
        for i in range(groups):
            # Eight fields of 8 bits close up to four pairs, two fours and one stretch.
            word = words[i]
            word = word & _OF_16 | (word & ~_OF_16) >> gap
            word = word & _OF_32 | (word & ~_OF_32) >> gap2
            words[i] = word & _OF_64 | (word & ~_OF_64) >> gap4
        for i in range(groups):
            store(out, at, words[i])
            at += bits
    return int64(smallest), int64(largest)


@compiled("void({bytes}, uint64, int16, int16[::1])")
def unpack(payload, bits, sign, out):
    """Codes of `bits` bits without a gap; `sign` is the bit that counts as negative, or 0."""
    gap = _8 - bits
    gap2, gap4 = gap << _1, gap << _2
    # The lower halves of the stretch, the fours and the pairs; the upper ones are as long.
    low4 = (_1 << (bits << _2)) - _1
    low2 = uint64(0x0000000100000001) * ((_1 << (bits << _1)) - _1)
    low1 = uint64(0x0001000100010001) * ((_1 << bits) - _1)
    high4, high2, high1 = low4 << (bits << _2), low2 << (bits << _1), low1 << bits
    stream, words = np.zeros(_BLOCK + 8, np.uint8), np.empty(_BLOCK // 8, np.uint64)
    fields = words.view(np.uint8)
    for start in range(0, out.size, _BLOCK):
        block = out[start : start + _BLOCK]
        own = payload[start // 8 * int64(bits) : (start + _BLOCK) // 8 * int64(bits)]
        for i in range(own.size):
            stream[i] = own[i]
        groups = (block.size + 7) >> 3
        at = uint64(0)
        for i in range(groups):
            words[i] = load(stream, at)
            at += bits
        for i in range(groups):
            word = words[i]
            word = word & low4 | (word & high4) << gap4
            word = word & low2 | (word & high2) << gap2
            words[i] = word & low1 | (word & high1) << gap
        for i in range(block.size):
            block[i] = (int16(fields[i]) ^ sign) - sign
