"""Fixed-width codes back to back, without a gap.

Code `i` fills bits `i * bits` to `i * bits + bits - 1` of the stream, counted from the lowest bit
of byte 0 upwards; negative codes are stored in two's complement. Five codes a to e of 3 bits:

    byte 0           byte 1
    7 6 5 4 3 2 1 0  7 6 5 4 3 2 1 0
    c c b b b a a a  0 e e e d d d c

Only the last byte is padded, with zeros. At 4 bits this is the layout of ONNX's INT4 and UINT4.
"""

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import TypeVar

import numpy as np

from quantlib.coding import compiled
from quantlib.errors import QuantlibError

GROUP = 8  # eight codes fill `bits` whole bytes and fit one 64-bit word
KERNEL_TYPES = (np.uint8, np.int16, np.int32)
MANY, MAX_CORES = 1 << 22, 4

T = TypeVar("T")


def packed_size(count: int, bits: int) -> int:
    """Bytes that `count` codes of `bits` bits take.

    >>> packed_size(5, 3)
    2
    """
    return (count * bits + 7) // 8


def code_range(bits: int, signed: bool) -> tuple[int, int]:
    """Smallest and largest code of `bits` bits; QuantlibError for a width outside 1 to 8.

    >>> code_range(3, signed=True), code_range(3, signed=False)
    ((-4, 3), (0, 7))
    """
    if not 1 <= bits <= 8:
        raise QuantlibError(f"{bits} bits are outside 1 to 8; choose a width in that range.")
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)


def pack(codes: np.ndarray, bits: int, signed: bool) -> bytes:
    """Integer `codes` of any shape, in C order, as `packed_size(codes.size, bits)` bytes.

    Raises QuantlibError for codes that `bits` bits cannot hold.

    >>> pack(np.array([1, 2, 3, 4, 5]), bits=3, signed=False).hex(" ")
    'd1 58'
    >>> pack(np.array([-4, 3]), bits=3, signed=False)
    Traceback (most recent call last):
    quantlib.errors.QuantlibError: Codes from -4 to 3 do not fit 0 to 7; clip them or use more bits.
    """
    low, high = code_range(bits, signed)
    codes = np.asarray(codes)
    if codes.dtype.kind not in "iub":
        raise QuantlibError(f"Codes are integers, not {codes.dtype}; round and cast them first.")
    if codes.size == 0:
        return b""
    codes = np.ascontiguousarray(codes).reshape(-1)
    kernels = compiled.kernels()
    if kernels and codes.dtype in KERNEL_TYPES:
        return _packed_compiled(kernels, codes, bits, low, high)
    _expect_between(int(codes.min()), int(codes.max()), low, high)
    return _packed(codes, bits)


def unpack(payload: bytes, bits: int, signed: bool, shape: Sequence[int]) -> np.ndarray:
    """The `int16` codes of shape `shape` that `pack` turned into `payload`.

    Raises QuantlibError when `payload` has another length than `shape` needs.

    >>> unpack(bytes.fromhex("d1 58"), bits=3, signed=False, shape=(5,)).tolist()
    [1, 2, 3, 4, 5]
    """
    _, high = code_range(bits, signed)
    shape = tuple(int(side) for side in shape)
    if any(side < 0 for side in shape):
        raise QuantlibError(f"The shape {shape} has a negative side; give sides of 0 or more.")
    count = math.prod(shape)
    if len(payload) != packed_size(count, bits):
        raise QuantlibError(
            f"{count} codes of {bits} bits take {packed_size(count, bits)} bytes, but there are "
            f"{len(payload)}; check the shape, the width and whether the file is complete."
        )
    stream, sign = np.frombuffer(payload, np.uint8), high + 1 if signed else 0
    if kernels := compiled.kernels():
        codes = _unpacked_compiled(kernels, stream, bits, sign, count)
    else:
        codes = _unpacked(stream, bits, sign, count)
    return codes.reshape(shape)


def _expect_between(smallest: int, largest: int, low: int, high: int) -> None:
    if smallest < low or largest > high:
        raise QuantlibError(
            f"Codes from {smallest} to {largest} do not fit {low} to {high}; "
            "clip them or use more bits."
        )


def _packed_compiled(
    kernels: ModuleType, codes: np.ndarray, bits: int, low: int, high: int
) -> bytes:
    def part(first: int, last: int) -> tuple[int, int, np.ndarray]:
        out = np.empty(packed_size(last - first, bits) + 8, np.uint8)
        return *kernels.pack(codes[first:last], bits, out), out[:-8]

    smallest, largest, parts = zip(*_by_parts(codes.size, part), strict=True)
    _expect_between(min(smallest), max(largest), low, high)
    return b"".join(parts)


def _unpacked_compiled(
    kernels: ModuleType, stream: np.ndarray, bits: int, sign: int, count: int
) -> np.ndarray:
    codes = np.empty(count, np.int16)

    def part(first: int, last: int) -> None:
        own = stream[first // GROUP * bits : packed_size(last, bits)]
        kernels.unpack(own, bits, sign, codes[first:last])

    _by_parts(count, part)
    return codes


def _by_parts(count: int, work: Callable[[int, int], T]) -> list[T]:
    """`work` on the first and the last code of every part; of many codes one for each core."""
    cores = min(os.cpu_count() or 1, MAX_CORES)
    if count < MANY or cores == 1:
        return [work(0, count)]
    size = -(-count // (cores * GROUP)) * GROUP
    firsts = range(0, count, size)
    with ThreadPoolExecutor(cores) as pool:
        return list(pool.map(work, firsts, (min(first + size, count) for first in firsts)))


def _packed(codes: np.ndarray, bits: int) -> bytes:
    fields = np.zeros((-(-codes.size // GROUP), GROUP), np.uint8)
    fields.reshape(-1)[: codes.size] = codes.astype(np.uint8) & ((1 << bits) - 1)
    words = fields[:, 0].astype(np.uint64)
    for i in range(1, GROUP):
        words |= fields[:, i].astype(np.uint64) << np.uint64(i * bits)
    stream = words.astype("<u8", copy=False).view(np.uint8).reshape(-1, 8)[:, :bits]
    return stream.tobytes()[: packed_size(codes.size, bits)]


def _unpacked(stream: np.ndarray, bits: int, sign: int, count: int) -> np.ndarray:
    groups = -(-count // GROUP)
    whole = np.zeros(groups * bits, np.uint8)
    whole[: stream.size] = stream
    padded = np.zeros((groups, 8), np.uint8)
    padded[:, :bits] = whole.reshape(groups, bits)
    words = padded.view("<u8")[:, 0]
    fields = np.empty((groups, GROUP), np.uint8)
    for i in range(GROUP):
        fields[:, i] = words >> np.uint64(i * bits)
    codes = (fields.reshape(-1)[:count] & ((1 << bits) - 1)).astype(np.int16)
    return (codes ^ np.int16(sign)) - np.int16(sign) if sign else codes
