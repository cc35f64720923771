"""Pictures from the bytes of a file, as 8-bit sRGB with transparency kept apart.

What is read may come from anybody, so nothing here takes a path: `imaging/files.py` does.
"""

from dataclasses import dataclass
from io import BytesIO
from os import PathLike
from typing import BinaryIO

import numpy as np
from PIL import Image

from quantlib.errors import QuantlibError
from quantlib.imaging.colour import in_srgb, is_storable
from quantlib.imaging.containers.parts import Parts, RefusedError
from quantlib.imaging.decoding import (
    DEEP,
    MAX_BYTES,
    damaged,
    decode,
    low_bytes,
    samples,
    take_apart,
)
from quantlib.imaging.encoding import png_bytes
from quantlib.imaging.transparency import keyed, split

__all__ = ["MAX_PIXELS", "Picture", "opened", "png_bytes", "read_bytes", "read_picture"]

MAX_PIXELS = 24_500_000  # cameras of 24 megapixels make up to so many
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # what brings a picture of that EXIF orientation upright


@dataclass(frozen=True)
class Picture:
    """`rgb` is `uint8 (H, W, 3)`, `alpha` `uint8 (H, W)`, or None when all of it is opaque.

    `notes` says in a few words each what was converted on the way here; `profile` is the ICC
    profile of the colours that the file had, for a result that is stored in the same ones.
    """

    rgb: np.ndarray
    alpha: np.ndarray | None
    name: str
    notes: tuple[str, ...] = ()
    profile: bytes | None = None


def read_picture(source: bytes | BinaryIO, name: str = "", max_pixels: int = MAX_PIXELS) -> Picture:
    """A PNG, JPEG, WebP, BMP or TIFF picture from the bytes of a file, or from an open one.

    Size, scans, frames and chunks are checked before a pixel is decoded. Raises QuantlibError for
    what is none of these formats, damaged or larger than `max_pixels`.

    >>> read_picture(png_bytes(np.zeros((2, 3, 3), np.uint8)), name="dark.png").rgb.shape
    (2, 3, 3)
    >>> read_picture(b"not a picture", name="notes.png")
    Traceback (most recent call last):
    quantlib.errors.QuantlibError: notes.png is no PNG, JPEG, WebP, BMP or TIFF picture; choose \
another file.
    """
    data, name = read_bytes(source, name), name or "The picture"
    parts = take_apart(data, name, min(max_pixels, Image.MAX_IMAGE_PIXELS or max_pixels))
    del data
    try:
        return _picture(parts, name)
    except RefusedError as error:
        raise QuantlibError(f"{name} {error}") from error
    except MemoryError as error:
        raise QuantlibError(
            f"{name} needs more memory than there is; choose or cut a smaller one."
        ) from error
    except Exception as error:  # decoders raise whatever the damage led them to
        raise damaged(name) from error


def opened(source: bytes | BinaryIO, name: str) -> BinaryIO:
    """What is read from: `source` itself, or its bytes as a file.

    Pillow and pyarrow would open text as a path on this machine, so a QuantlibError for it and for
    whatever else holds no bytes.

    >>> opened("/etc/passwd", "Row 0")  # type: ignore[arg-type]
    Traceback (most recent call last):
    quantlib.errors.QuantlibError: Row 0 is str, not the bytes of a file; choose a file with bytes.
    """
    if isinstance(source, bytes):
        return BytesIO(source)
    if isinstance(source, str | PathLike) or not hasattr(source, "read"):
        raise QuantlibError(
            f"{name or 'The file'} is {type(source).__name__}, not the bytes of a file; choose a "
            "file with bytes."
        )
    return source


def read_bytes(source: bytes | BinaryIO, name: str) -> bytes:
    """All bytes of a file, given as such or opened, up to one more than any picture may have."""
    return source if isinstance(source, bytes) else opened(source, name).read(MAX_BYTES + 1)


def _picture(parts: Parts, name: str) -> Picture:
    image = decode(parts)
    notes = [f"first of {parts.frames:,} frames"] if parts.frames > 1 else []
    notes += parts.notes
    alpha = None if parts.key is None else _keyed(parts, image, parts.key)
    if image.mode in DEEP:  # Pillow would clip these instead of reducing them
        grey = samples(parts, image) >> (parts.depth - 8)
        notes += _kind(image.mode)
        image = Image.fromarray(grey.astype(np.uint8))
    else:
        notes += _kind(image.mode)
        image, channel = split(image)
        alpha = channel if alpha is None else alpha
    if parts.depth > 8:
        notes.append(f"{parts.depth} bit reduced to 8")
    image = in_srgb(image, parts.profile, notes)
    if parts.orientation in TURNS:
        notes.append("EXIF rotation applied")
        turn = TURNS[parts.orientation]
        image = image.transpose(turn)
        alpha = None if alpha is None else np.asarray(Image.fromarray(alpha).transpose(turn))
    if alpha is not None and alpha.min() == 255:
        notes.append("opaque alpha channel left out")
        alpha = None
    elif alpha is not None:
        notes.append("transparency kept apart")
    profile = parts.profile if is_storable(parts.profile) else None
    return Picture(np.array(image), alpha, name, tuple(notes), profile)


def _keyed(parts: Parts, image: Image.Image, key: tuple[int, ...]) -> np.ndarray:
    if parts.depth < 16 or image.mode != "RGB":
        return keyed(samples(parts, image), key)
    high = keyed(np.asarray(image), tuple(value >> 8 for value in key))
    return np.maximum(high, keyed(np.asarray(low_bytes(parts)), tuple(v & 255 for v in key)))


def _kind(mode: str) -> list[str]:
    if mode in ("1", "L", "LA", *DEEP):
        return ["greyscale spread over R, G and B"]
    if mode in ("P", "PA"):
        return ["palette resolved"]
    return ["CMYK converted to RGB"] if mode == "CMYK" else []
