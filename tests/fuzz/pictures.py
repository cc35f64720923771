"""Damaged pictures."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from io import BytesIO

import numpy as np
import tifffile
from PIL import Image, ImageCms

from quantlib.datasets.annotated import read_annotation
from quantlib.errors import QuantlibError
from quantlib.imaging.reading import read_picture
from tests.fuzz.mutating import mutated
from tests.fuzz.running import Engine

PNG_HEAD = 8  # bytes before the first chunk


def make(random: np.random.Generator) -> bytes:
    """One of the originals with damage, half of the PNG files with right checksums again."""
    data = mutated(originals(), random)
    if data.startswith(b"\x89PNG") and random.random() < 0.5:
        data = _with_checksums(data)
    return data


def handle(data: bytes) -> None:
    """Reads what may be a picture, and an annotation too."""
    try:
        picture = read_picture(data, "fuzzed")
    finally:
        with suppress(QuantlibError):
            assert read_annotation(data, "fuzzed").dtype == np.uint8
    assert picture.rgb.dtype == np.uint8 and picture.rgb.ndim == 3 and picture.rgb.shape[2] == 3
    assert picture.rgb.size and all(picture.notes)
    assert picture.alpha is None or picture.alpha.shape == picture.rgb.shape[:2]


@cache
def originals() -> list[bytes]:
    """Small files of every format, mode and compression, with and without metadata."""
    return [*_pngs(), *_jpegs(), *_webps(), *_bmps(), *_tiffs()]


def _picture(mode: str) -> Image.Image:
    y, x = np.mgrid[:24, :31]
    rgba = np.dstack([x * 8, y * 10, (x * y) % 256, 255 - x * 8]).astype(np.uint8)
    if mode == "I;16":
        return Image.fromarray((x * 2000 + y).astype(np.uint16))
    return Image.fromarray(rgba).convert("RGB" if mode in ("P", "CMYK") else mode).convert(mode)


def _saved(image: Image.Image, kind: str, **options) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _metadata() -> dict:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a description"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return {"exif": exif, "icc_profile": profile}


def _pngs() -> Iterator[bytes]:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        yield _saved(_picture(mode), "PNG")
    yield _saved(_picture("P"), "PNG", transparency=3)
    yield _saved(_picture("L"), "PNG", transparency=8)
    yield _saved(_picture("RGB"), "PNG", **_metadata())
    frames = [_picture("RGB"), _picture("RGB").rotate(180)]
    yield _saved(frames[0], "PNG", save_all=True, append_images=frames[1:])
    yield wide_png()


def _jpegs() -> Iterator[bytes]:
    for mode in ("L", "RGB", "CMYK"):
        yield _saved(_picture(mode), "JPEG")
        yield _saved(_picture(mode), "JPEG", progressive=True, **_metadata())


def _webps() -> Iterator[bytes]:
    for mode in ("RGB", "RGBA"):
        for lossless in (False, True):
            yield _saved(_picture(mode), "WEBP", lossless=lossless)
    yield _saved(_picture("RGBA"), "WEBP", **_metadata())
    frames = [_picture("RGB"), _picture("RGB").rotate(180)]
    yield _saved(frames[0], "WEBP", save_all=True, append_images=frames[1:])


def _bmps() -> Iterator[bytes]:
    for mode in ("1", "L", "P", "RGB", "RGBA"):
        yield _saved(_picture(mode), "BMP")
    yield run_length_bmp(31, 24, b"\x1f\x05\0\0" * 24 + b"\0\1")


def _tiffs() -> Iterator[bytes]:
    for mode in ("1", "L", "P", "RGB", "RGBA", "CMYK", "I;16"):
        yield _saved(_picture(mode), "TIFF")
    for compression in ("packbits", "tiff_lzw", "tiff_adobe_deflate", "jpeg"):
        yield _saved(_picture("RGB"), "TIFF", compression=compression)
    yield _saved(_picture("1"), "TIFF", compression="group4")
    yield _saved(_picture("RGB"), "TIFF", save_all=True, append_images=[_picture("L")])
    yield _saved(_picture("RGB"), "TIFF", icc_profile=_metadata()["icc_profile"])
    tiled, big, rgb = BytesIO(), BytesIO(), np.asarray(_picture("RGB"))
    tifffile.imwrite(tiled, rgb, photometric="rgb", tile=(16, 16), compression="zlib")
    tifffile.imwrite(big, rgb, photometric="rgb", bigtiff=True)
    yield tiled.getvalue()
    yield big.getvalue()


def wide_png() -> bytes:
    """16 bits a sample with a transparent colour, gamma and primaries: Pillow writes none."""
    values = np.arange(8 * 5 * 3, dtype=">u2").reshape(8, 15) * 500
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    told = [
        (b"gAMA", struct.pack(">I", 100_000)),
        (b"cHRM", struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)),
        (b"tRNS", struct.pack(">3H", 0, 500, 1000)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    head = (b"IHDR", struct.pack(">IIBBBBB", 5, 8, 16, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in [head, *told])


def run_length_bmp(width: int, height: int, runs: bytes) -> bytes:
    palette = bytes(256 * 3) + bytes(256)
    place = 54 + len(palette)
    head = struct.pack("<2sIII", b"BM", place + len(runs), 0, place)
    head += struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(runs), 0, 0, 256, 0)
    return head + palette + runs


def chunk(name: bytes, body: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(name + body))
    return struct.pack(">I", len(body)) + name + body + checksum


def _with_checksums(data: bytes) -> bytes:
    """The PNG file with the checksum of every chunk as it ought to be."""
    whole, at = data[:PNG_HEAD], PNG_HEAD
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        if at + 12 + length > len(data):
            break
        whole += chunk(data[at + 4 : at + 8], data[at + 8 : at + 8 + length])
        at += 12 + length
    return whole + data[at:]


ENGINE = Engine("mutated pictures", make, handle)
