"""Fixed-width codes back to back, without a gap.

Code `i` fills bits `i * bits` to `i * bits + bits - 1` of the stream, counted from the lowest bit
of byte 0 upwards; negative codes are stored in two's complement. Five codes a to e of 3 bits:

    byte 0           byte 1
    7 6 5 4 3 2 1 0  7 6 5 4 3 2 1 0
    c c b b b a a a  0 e e e d d d c

Only the last byte is padded, with zeros. At 4 bits this is the layout of ONNX's INT4 and UINT4.
"""

import math
from collections.abc import Sequence

import numpy as np

from quantlib.errors import QuantlibError

GROUP = 8  # eight codes fill `bits` whole bytes and fit one 64-bit word


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
    smallest, largest = int(codes.min()), int(codes.max())
    if smallest < low or largest > high:
        raise QuantlibError(
            f"Codes from {smallest} to {largest} do not fit {low} to {high}; "
            "clip them or use more bits."
        )
    fields = np.zeros((-(-codes.size // GROUP), GROUP), np.uint8)
    fields.reshape(-1)[: codes.size] = codes.reshape(-1).astype(np.uint8) & ((1 << bits) - 1)
    words = fields[:, 0].astype(np.uint64)
    for i in range(1, GROUP):
        words |= fields[:, i].astype(np.uint64) << np.uint64(i * bits)
    stream = words.astype("<u8", copy=False).view(np.uint8).reshape(-1, 8)[:, :bits]
    return stream.tobytes()[: packed_size(codes.size, bits)]


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
    groups = -(-count // GROUP)
    stream = np.zeros(groups * bits, np.uint8)
    stream[: len(payload)] = np.frombuffer(payload, np.uint8)
    padded = np.zeros((groups, 8), np.uint8)
    padded[:, :bits] = stream.reshape(groups, bits)
    words = padded.view("<u8")[:, 0]
    fields = np.empty((groups, GROUP), np.uint8)
    for i in range(GROUP):
        fields[:, i] = words >> np.uint64(i * bits)
    codes = (fields.reshape(-1)[:count] & ((1 << bits) - 1)).astype(np.int16)
    if signed:
        sign = np.int16(high + 1)
        codes = (codes ^ sign) - sign
    return codes.reshape(shape)
