"""Picture files for tests, of kinds that Pillow does not write too."""

import struct
import zlib
from io import BytesIO

from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def saved(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    """A PNG chunk."""
    checksum = struct.pack(">I", zlib.crc32(name + body))
    return struct.pack(">I", len(body)) + name + body + checksum


def raw_png(
    width: int,
    height: int,
    depth: int,
    colour: int,
    rows: bytes,
    key: bytes | None = None,
    told: bytes = b"",
) -> bytes:
    """A PNG file of rows with their filter bytes, `told` being chunks before the pixels."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    middle = chunk(b"tRNS", key) if key is not None else b""
    body = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return SIGNATURE + head + told + middle + body


def with_chunk(png: bytes, new: bytes) -> bytes:
    """A PNG file with one more chunk, after the first."""
    at = len(SIGNATURE) + 25
    return png[:at] + new + png[at:]
