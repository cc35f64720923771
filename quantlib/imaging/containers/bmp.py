"""BMP: a header of the file, one of the picture, perhaps a palette, and rows of pixels."""

import struct

from quantlib.imaging.containers.parts import Parts, RefusedError

SIGNATURE = b"BM"
RUN_LENGTHS = (1, 2)
MAX_RUN_LENGTHS, MAX_PIXELS = 1_000_000, 4_000_000  # bytes and pixels, one by one in Python


def taken_apart(data: bytes) -> Parts:
    """Nothing is left out: a BMP holds hardly more than its pixels."""
    (header,) = struct.unpack_from("<I", data, 14)
    if header == 12:
        width, height = struct.unpack_from("<HH", data, 18)
    else:
        width, height = struct.unpack_from("<ii", data, 18)
        (compression,) = struct.unpack_from("<I", data, 30)
        large = len(data) > MAX_RUN_LENGTHS or width * abs(height) > MAX_PIXELS
        if compression in RUN_LENGTHS and large:
            raise RefusedError("is a large BMP of run lengths; save it as a PNG.")
    return Parts("BMP", data, width, abs(height))
