"""Prefix codes: bytes counted, code words joined, and parted again."""

import numpy as np
from numba import uint64

from quantlib.coding.kernels.words import compiled, last_at_most, load, store, swapped

_LONG = 1 << 16  # symbols for which a larger table pays
_1, _3, _7, _8, _255 = (uint64(n) for n in (1, 3, 7, 8, 255))


@compiled("void({bytes}, int64[::1])")
def count(symbols, counts):
    """Adds to the 256 `counts` how often each byte occurs."""
    apart = np.zeros(1024, np.int64)  # four counts, so that equal neighbours do not wait
    whole = symbols.size - symbols.size % 4
    for i in range(0, whole, 4):
        apart[symbols[i]] += 1
        apart[256 + symbols[i + 1]] += 1
        apart[512 + symbols[i + 2]] += 1
        apart[768 + symbols[i + 3]] += 1
    for i in range(whole, symbols.size):
        apart[symbols[i]] += 1
    for i in range(1024):
        counts[i & 255] += apart[i]


@compiled("void({bytes}, {words}, {words}, uint64, uint8[::1])")
def join(symbols, tops, lengths, group, out):
    """Code words, each at the top of a word, one after another from the highest bit of `out[0]` on.

    `group` of them are no longer than 57 bits; `out` is 8 bytes longer than they are.
    """
    word = filled = at = i = uint64(0)
    end = uint64(symbols.size)
    while i < end:
        for _ in range(min(group, end - i)):
            symbol = symbols[i]
            word |= tops[symbol] >> filled
            filled += lengths[symbol]
            i += _1
        store(out, at, swapped(word))
        at += filled >> _3
        word = word << (filled & ~_7) if filled < uint64(64) else uint64(0)
        filled &= _7


@compiled("void({bytes}, {bytes}, uint64, uint64[::1], uint64[::1])")
def _tabulate(order, lengths, window, runs, steps):
    """For every `window` bits the code words that lie in them as a whole, 8 at most.

    `runs` are their symbols, lowest byte first, `steps` their bits and 256 times their number.
    """
    size = uint64(1) << window
    first = np.zeros(size, np.uint64)  # the symbol that the bits begin with, 256 times its length
    at = uint64(0)
    for i in range(order.size):
        if lengths[i] > window:
            break
        end = at + (_1 << (window - uint64(lengths[i])))
        while at < end:
            first[at] = uint64(order[i]) | uint64(lengths[i]) << _8
            at += _1
    for head in range(size):
        run = bits = number = uint64(0)
        while number < _8:
            word = first[(uint64(head) << bits) & (size - _1)]
            if word == 0 or bits + (word >> _8) > window:
                break
            run |= (word & _255) << (number << _3)
            bits += word >> _8
            number += _1
        runs[head] = run
        steps[head] = bits | number << _8


@compiled("{pair}({bytes}, {bytes}, {bytes}, {words}, uint8[::1])")
def part(data, order, lengths, tops, out):
    """The symbols whose code words `data` begins with, and how many bits these take.

    `order` are the symbols by rising code word, `lengths` and `tops` their words' lengths and the
    words at the top of 64 bits. Stops where the data end.
    """
    window = uint64(11 if out.size >= _LONG else 9)
    runs, steps = np.empty(1 << window, np.uint64), np.empty(1 << window, np.uint64)
    _tabulate(order, lengths, window, runs, steps)
    words, size, wanted = uint64(tops.size), uint64(data.size), uint64(out.size)
    done = at = uint64(0)
    lookups = uint64(57) // window
    room = _8 * lookups + _1
    loadable = size - min(size, _7)  # bytes from which a word can be read
    while at >> _3 < loadable and done + room <= wanted:
        word = swapped(load(data, at >> _3)) << (at & _7)
        for _ in range(lookups):
            head = word >> (uint64(64) - window)
            store(out, done, runs[head])
            bits = steps[head] & _255
            word <<= bits
            at += bits
            done += steps[head] >> _8
        # Perhaps a long code word.
        if steps[word >> (uint64(64) - window)] == 0 and at >> _3 < loadable:
            word = swapped(load(data, at >> _3)) << (at & _7)
            i = last_at_most(tops, word, uint64(0), words)
            out[done] = order[i]
            at += uint64(lengths[i])
            done += _1
    while done < wanted and at >> _3 < size:
        word = uint64(0)
        for k in range(min(_8, size - (at >> _3))):
            word |= uint64(data[(at >> _3) + uint64(k)]) << (uint64(56) - (uint64(k) << _3))
        i = last_at_most(tops, word << (at & _7), uint64(0), words)
        out[done] = order[i]
        at += uint64(lengths[i])
        done += _1
    return done, at
