"""WebP (RFC 9649): RIFF chunks of a name, a length and a body of whole pairs of bytes."""

import struct

from quantlib.imaging.containers.metadata import orientation_in
from quantlib.imaging.containers.parts import Parts, at_most

EXTENDED, ANIMATION, FRAME = b"VP8X", b"ANIM", b"ANMF"
STILL = {b"ALPH", b"VP8 ", b"VP8L"}
TOLD = {b"ICCP", b"EXIF", b"XMP "}
TOLD_FLAGS = 0b00101100  # profile, EXIF and XMP are there
MAX_CHUNKS = 20_000


def is_webp(data: bytes) -> bool:
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def taken_apart(data: bytes) -> Parts:
    """Of an animation, the first frame on its canvas."""
    kept, told, frames, at = [], {}, 0, 12
    size = None
    for count in range(MAX_CHUNKS + 2):
        at_most(count, MAX_CHUNKS, "chunks")
        if at + 8 > len(data):
            break
        name, length = struct.unpack_from("<4sI", data, at)
        end = at + 8 + length + length % 2
        body = data[at + 8 : at + 8 + length]
        frames += name == FRAME
        if name == EXTENDED:
            kept.append(data[at : at + 8] + bytes([body[0] & ~TOLD_FLAGS]) + data[at + 9 : end])
        elif name in STILL or name == ANIMATION or (name == FRAME and frames == 1):
            kept.append(data[at:end])
        elif name in TOLD:
            told.setdefault(name, body)
        size = size or _size(name, body)
        at = end
    chunks = b"".join(kept)
    width, height = size or (0, 0)
    orientation, notes = orientation_in(told.get(b"EXIF", b""), told.get(b"XMP ", b""))
    return Parts(
        "WEBP",
        b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks,
        width,
        height,
        frames=max(1, frames),
        orientation=orientation,
        profile=told.get(b"ICCP"),
        notes=notes,
    )


def _size(name: bytes, body: bytes) -> tuple[int, int] | None:
    if name == EXTENDED:
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if name == b"VP8 ":
        width, height = struct.unpack_from("<HH", body, 6)
        return width & 0x3FFF, height & 0x3FFF
    if name == b"VP8L":
        (bits,) = struct.unpack_from("<I", body, 1)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return None
