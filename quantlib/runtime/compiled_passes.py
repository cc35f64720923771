"""The passes of `quantlib.runtime.passes`, compiled by numba at their first call."""

import numpy as np
from numba import njit

compiled = njit(nogil=True, cache=True, error_model="numpy")


@compiled
def _code(value, inverse, low, high, offset):  # type: ignore[no-untyped-def]
    rounded = np.rint(min(max(value * inverse, low), high))
    return np.uint8(np.int32(rounded) + offset)


@compiled
def quantize(x, shift, inverse, low, high, offset, codes):  # type: ignore[no-untyped-def]
    for row in range(x.shape[0]):
        for c in range(x.shape[1]):
            codes[row, c] = _code(x[row, c] + shift[c], inverse, low, high, offset)


@compiled
def accumulate(  # type: ignore[no-untyped-def]
    total, added, factor, alpha, relu, shift, inverse, low, high, offset, codes
):
    floor = np.float32(0) if relu else np.float32(-np.inf)
    for row in range(total.shape[0]):
        for c in range(total.shape[1]):
            value = max(factor * total[row, c] + alpha * added[row, c], floor)
            total[row, c] = value
            codes[row, c] = _code(value + shift[c], inverse, low, high, offset)


@compiled
def add(  # type: ignore[no-untyped-def]
    kept, added, factor, alpha, relu, shift, inverse, low, high, offset, codes
):
    floor = np.float32(0) if relu else np.float32(-np.inf)
    for row in range(kept.shape[0]):
        for c in range(kept.shape[1]):
            value = max(factor * kept[row, c] + alpha * added[row, c], floor)
            codes[row, c] = _code(value + shift[c], inverse, low, high, offset)
