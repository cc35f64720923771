"""Symbols from the streaming rANS coder of `constriction`."""

import numpy as np
from numba import uint64

from quantlib.coding.kernels.words import compiled, last_at_most

_BUCKETS = 10  # bits of a quantile that the table is indexed by
_1, _24, _32 = (uint64(n) for n in (1, 24, 32))


@compiled("{pair}(Array(uint32, 1, 'C', readonly=True), uint64, uint64, {words}, int32[::1])")
def rans(words, left, state, bounds, row):
    """Adds to each integer of `row` the symbol that the coder gives next, and returns the coder.

    Symbol s has the quantiles bounds[s] to bounds[s + 1] of 2^24; the coder is `state` and the
    first `left` words, taken from the last one on.
    """
    shift = uint64(24 - _BUCKETS)
    buckets = uint64(1) << uint64(_BUCKETS)
    first = np.empty(buckets + _1, np.uint64)  # the symbol of a bucket's first quantile
    symbol = uint64(0)
    for bucket in range(buckets):
        while bounds[symbol + _1] <= uint64(bucket) << shift:
            symbol += _1
        first[bucket] = symbol
    first[buckets] = uint64(bounds.size - 2)
    starts, widths = np.empty(buckets, np.uint64), np.empty(buckets, np.uint64)
    for bucket in range(buckets):
        starts[bucket] = bounds[first[bucket]]
        widths[bucket] = bounds[first[bucket] + _1] - starts[bucket]
    for i in range(row.size):
        quantile = state & uint64((1 << 24) - 1)
        bucket = quantile >> shift
        symbol, start, width = first[bucket], starts[bucket], widths[bucket]
        if quantile - start >= width:
            symbol = last_at_most(bounds, quantile, symbol, first[bucket + _1] + _1)
            start = bounds[symbol]
            width = bounds[symbol + _1] - start
        state = (state >> _24) * width + (quantile - start)
        if state >> _32 == 0 and left > 0:
            left -= _1
            state = state << _32 | uint64(words[left])
        row[i] += symbol
    return left, state
