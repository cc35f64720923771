"""Attention in windows, and what stands between the linear layers around it, compiled by numba."""

import numpy as np

from quantlib.coding.machine_code import machine_code
from quantlib.runtime.compiled_passes import code_of

# Sums may be taken in any order, which is what lets a loop add many numbers at once.
compiled = machine_code(error_model="numpy", fastmath={"reassoc", "contract"})

LOG2_E = np.float32(1.4426950408889634)
LN_2_HIGH, LN_2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)
LOWEST = np.float32(-87)  # of what exp of is not subnormal


@compiled
def _exp(x):  # type: ignore[no-untyped-def]
    """exp(x) of x <= 0: 2 to a whole number times a polynomial (Cephes' expf), to 2e-7."""
    x = max(x, LOWEST)
    whole = np.rint(x * LOG2_E)
    x = x - whole * LN_2_HIGH - whole * LN_2_LOW
    y = np.float32(1.9875691500e-4)
    y = y * x + np.float32(1.3981999507e-3)
    y = y * x + np.float32(8.3334519073e-3)
    y = y * x + np.float32(4.1665795894e-2)
    y = y * x + np.float32(1.6666665459e-1)
    y = y * x + np.float32(5.0000001201e-1)
    power = np.int32((np.int32(whole) + np.int32(127)) << np.int32(23)).view(np.float32)
    return (y * x * x + x + np.float32(1)) * power


@compiled
def normalise(x, weight, bias, epsilon, shift, inverse, low, high, offset, codes):  # type: ignore[no-untyped-def]
    """The codes `(T, C)` of the layer norm of `x` `(T, C)`."""
    tokens, channels = x.shape
    for token in range(tokens):
        values, held = x[token], codes[token]
        mean = np.float32(0)
        for c in range(channels):
            mean += values[c]
        mean /= np.float32(channels)
        variance = np.float32(0)
        for c in range(channels):
            variance += (values[c] - mean) * (values[c] - mean)
        factor = np.float32(1) / np.sqrt(variance / np.float32(channels) + epsilon)
        for c in range(channels):
            value = (values[c] - mean) * factor * weight[c] + bias[c]
            held[c] = code_of(value + shift[c], inverse, low, high, offset)


@compiled
def attend(qkv, row, window, shift, scale, biases, out):  # type: ignore[no-untyped-def]
    """softmax(scale · q kᵀ + bias) v in all windows of one row of them, into `out` `(w, W, C)`.

    `qkv` `(H, W, 3C)` is seen moved up and left by `shift`, around its edges; `biases` are
    `(4, heads, key, query)`: inside, in the last column, in the last row, and in both.
    """
    height, width, _ = qkv.shape
    heads, inside = biases.shape[1], biases.shape[2]
    channels = out.shape[2]
    size = channels // heads
    q, made = np.empty((size, inside), np.float32), np.empty((size, inside), np.float32)
    k, v = np.empty((inside, size), np.float32), np.empty((inside, size), np.float32)
    scores = np.empty((inside, inside), np.float32)
    largest, total = np.empty(inside, np.float32), np.empty(inside, np.float32)
    lowest_row = 2 if (row + 1) * window == height else 0
    for left in range(0, width, window):
        place = lowest_row + (1 if left + window == width else 0)
        for head in range(heads):
            first = head * size
            for token in range(inside):
                y = (row * window + token // window + shift) % height
                x = (left + token % window + shift) % width
                values = qkv[y, x]
                for d in range(size):
                    q[d, token] = values[first + d] * scale
                    k[token, d] = values[channels + first + d]
                    v[token, d] = values[2 * channels + first + d]
            for i in range(inside):
                largest[i] = np.float32(-np.inf)
                total[i] = np.float32(0)
            for j in range(inside):
                line, bias = scores[j], biases[place, head, j]
                for i in range(inside):
                    line[i] = bias[i]
                for d in range(size):
                    factor, query = k[j, d], q[d]
                    for i in range(inside):
                        line[i] += factor * query[i]
                for i in range(inside):
                    largest[i] = max(largest[i], line[i])
            for d in range(size):
                for i in range(inside):
                    made[d, i] = np.float32(0)
            for j in range(inside):
                line = scores[j]
                for i in range(inside):
                    line[i] = _exp(line[i] - largest[i])
                    total[i] += line[i]
                for d in range(size):
                    factor, values = v[j, d], made[d]
                    for i in range(inside):
                        values[i] += factor * line[i]
            for token in range(inside):
                x = (left + token % window + shift) % width
                values = out[token // window, x]
                for d in range(size):
                    values[first + d] = made[d, token] / total[token]
