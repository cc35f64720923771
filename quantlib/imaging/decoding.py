"""From the bytes of a picture file to its samples, within bounds that are checked beforehand."""

from io import BytesIO

import numpy as np
from PIL import Image

from quantlib.errors import QuantlibError
from quantlib.imaging.containers import bmp, jpeg, png, tiff, webp
from quantlib.imaging.containers.parts import Parts, RefusedError
from quantlib.imaging.formats import FORMATS

MAX_BYTES = 256_000_000
PASSES = 24  # how often a decoder may go over a picture of the most pixels
DEEP = ("I;16", "I;16B", "I;16L")
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr", *DEEP)


def take_apart(data: bytes, name: str, max_pixels: int) -> Parts:
    """What a picture file is made of; nothing is decoded.

    Raises QuantlibError for what is of no known format, damaged, or too much to decode.
    """
    if not data:
        raise QuantlibError(f"{name} is empty; choose another file.")
    if len(data) > MAX_BYTES:
        raise QuantlibError(f"{name} is larger than {MAX_BYTES:,} bytes; choose a smaller file.")
    taken_apart = _taken_apart_by(data)
    if taken_apart is None:
        raise QuantlibError(f"{name} is no {FORMATS} picture; choose another file.")
    try:
        parts = taken_apart(data)
    except RefusedError as error:
        raise QuantlibError(f"{name} {error}") from error
    except Exception as error:  # whatever the damage led to
        raise damaged(name) from error
    pixels = parts.width * parts.height
    if max(pixels, parts.largest) > max_pixels:
        raise QuantlibError(
            f"{name} has {parts.width:,} x {parts.height:,} pixels, above the limit of "
            f"{max_pixels:,}; choose or cut a smaller one."
        )
    if pixels * parts.passes > max_pixels * PASSES:
        raise QuantlibError(f"{name} is stored in {parts.passes:,} scans; save it with fewer.")
    return parts


def decode(parts: Parts, raw: str = "") -> Image.Image:
    """The picture as Pillow has it, its samples unpacked by the raw mode `raw` if one is given.

    Raises whatever a decoder raises for damage.
    """
    image = Image.open(BytesIO(parts.pixels), formats=[parts.format])
    if image.size != (parts.width, parts.height):
        raise ValueError("two sizes in one file")
    if image.mode not in MODES:
        raise RefusedError(f"holds samples of an unusual kind ({image.mode}); save it as a PNG.")
    if raw:
        image.tile = [tile._replace(args=raw) for tile in image.tile]
    image.load()
    return image


def low_bytes(parts: Parts) -> Image.Image:
    """The lower halves of RGB's 16 bits, of which Pillow keeps the higher ones."""
    return decode(parts, "RGB;16L")  # the other way round than PNG has them


def samples(parts: Parts, image: Image.Image) -> np.ndarray:
    """The samples of a decoded greyscale, indexed or 8-bit RGB picture as its file has them.

    `(H, W)` or `(H, W, 3)`, unlike Pillow's not scaled to 8 bits.
    """
    held = np.asarray(image)
    if image.mode in DEEP:
        held = held.astype(np.uint16)
        return held ^ np.uint16(2**parts.depth - 1) if parts.inverted else held
    if image.mode == "L" and parts.depth < 8:
        return held // (255 // (2**parts.depth - 1))
    return held.astype(np.uint8) if held.dtype == bool else held


def damaged(name: str) -> QuantlibError:
    return QuantlibError(f"{name} is damaged or incomplete; save or download it again.")


def _taken_apart_by(data: bytes):
    if data.startswith(png.SIGNATURE):
        return png.taken_apart
    if data.startswith(jpeg.SIGNATURE):
        return jpeg.taken_apart
    if webp.is_webp(data):
        return webp.taken_apart
    if data.startswith(bmp.SIGNATURE):
        return bmp.taken_apart
    if data.startswith(tiff.SIGNATURES):
        return tiff.taken_apart
    return None
