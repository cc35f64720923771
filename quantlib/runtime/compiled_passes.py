"""The passes of `quantlib.runtime.passes`, compiled by numba at their first call.

Values lie in a row, channel after channel and pixel after pixel. What belongs to a channel is
given for so many pixels that the inner loops are long, which is what makes them fast.
"""

import numpy as np

from quantlib.coding.machine_code import machine_code

compiled = machine_code(error_model="numpy")


@compiled
def code_of(value, inverse, low, high, offset):  # type: ignore[no-untyped-def]
    rounded = np.rint(min(max(value * inverse, low), high))
    return np.uint8(np.int32(rounded) + offset)


@compiled
def quantize(x, shift, inverse, low, high, offset, codes):  # type: ignore[no-untyped-def]
    for start in range(0, x.size, shift.size):
        end = start + shift.size
        some, held = x[start:end], codes[start:end]
        for i in range(some.size):
            held[i] = code_of(some[i] + shift[i], inverse, low, high, offset)


@compiled
def accumulate(  # type: ignore[no-untyped-def]
    total, added, factor, alpha, relu, shift, inverse, low, high, offset, codes
):
    floor = np.float32(0) if relu else np.float32(-np.inf)
    for start in range(0, total.size, shift.size):
        end = start + shift.size
        kept, more, held = total[start:end], added[start:end], codes[start:end]
        for i in range(kept.size):
            value = max(factor * kept[i] + alpha * more[i], floor)
            kept[i] = value
            held[i] = code_of(value + shift[i], inverse, low, high, offset)


@compiled
def add(  # type: ignore[no-untyped-def]
    kept, added, factor, alpha, relu, shift, inverse, low, high, offset, codes
):
    floor = np.float32(0) if relu else np.float32(-np.inf)
    for start in range(0, kept.size, shift.size):
        end = start + shift.size
        some, more, held = kept[start:end], added[start:end], codes[start:end]
        for i in range(some.size):
            value = max(factor * some[i] + alpha * more[i], floor)
            held[i] = code_of(value + shift[i], inverse, low, high, offset)


@compiled
def limit(codes, lowest, highest):  # type: ignore[no-untyped-def]
    for start in range(0, codes.size, lowest.size):
        held = codes[start : start + lowest.size]
        for i in range(held.size):
            held[i] = min(max(held[i], lowest[i]), highest)
