"""Pictures from the bytes of a file and into them, as 8-bit RGB with transparency kept apart.

What is read may come from anybody, so nothing here takes a path: `imaging/files.py` does.
"""

import warnings
from dataclasses import dataclass
from io import BytesIO
from os import PathLike
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from quantlib.errors import QuantlibError

FORMATS = ["PNG", "JPEG", "WEBP"]
ORIENTATION = 0x0112  # EXIF tag; 1 is upright
PNG_DEPTH = 24  # offset of the bit depth in a PNG file


@dataclass(frozen=True)
class Picture:
    """`rgb` is `uint8 (H, W, 3)`, `alpha` `uint8 (H, W)`, or None when all of it is opaque.

    `notes` says in a few words each what was converted on the way here.
    """

    rgb: np.ndarray
    alpha: np.ndarray | None
    name: str
    notes: tuple[str, ...] = ()


def read_picture(source: bytes | BinaryIO, name: str = "", max_pixels: int = 16_000_000) -> Picture:
    """A PNG, JPEG or WebP picture from the bytes of a file, or from an open one.

    The size is checked before a pixel is decoded. Raises QuantlibError for what is not one of the
    three formats, damaged or larger than `max_pixels`.

    >>> read_picture(png_bytes(np.zeros((2, 3, 3), np.uint8)), name="dark.png").rgb.shape
    (2, 3, 3)
    >>> read_picture(b"not a picture", name="notes.png")
    Traceback (most recent call last):
    quantlib.errors.QuantlibError: notes.png is no PNG, JPEG or WebP picture; choose another file.
    """
    max_pixels = min(max_pixels, Image.MAX_IMAGE_PIXELS or max_pixels)
    return _read(opened(source, name), name or "The picture", max_pixels)


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


def png_bytes(rgb: np.ndarray, alpha: np.ndarray | None = None) -> bytes:
    """`uint8 (H, W, 3)`, with `alpha` of `uint8 (H, W)` if there is one, as a PNG file.

    >>> png_bytes(np.zeros((1, 1, 3), np.uint8))[1:4]
    b'PNG'
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or 0 in rgb.shape:
        raise QuantlibError(
            f"A picture is uint8 (H, W, 3), not {rgb.dtype} {rgb.shape}; convert it first."
        )
    if alpha is not None:
        if alpha.dtype != np.uint8 or alpha.shape != rgb.shape[:2]:
            raise QuantlibError(
                f"The transparency of a {rgb.shape[0]} x {rgb.shape[1]} picture has its size and "
                f"type uint8, not {alpha.dtype} {alpha.shape}; enlarge it along with the picture."
            )
        rgb = np.dstack([rgb, alpha])
    buffer = BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def _read(file: BinaryIO, name: str, max_pixels: int) -> Picture:
    head = file.read(PNG_DEPTH + 1)
    if not head:
        raise QuantlibError(f"{name} is empty; choose another file.")
    file.seek(0)
    image = _open(file, name, max_pixels)
    try:
        frames = getattr(image, "n_frames", 1)
        image.load()
    except Exception as error:  # decoders raise whatever the damage led them to
        raise _damaged(name) from error
    notes = [f"first of {frames} frames"] if frames > 1 else []
    deep = image.mode.startswith("I") or (image.format == "PNG" and head[PNG_DEPTH] == 16)
    image = _upright(image, notes)
    if deep:
        notes.append("16 bit reduced to 8")
    rgb, alpha = _split(image, notes)
    return Picture(rgb, alpha, name, tuple(notes))


def _open(file: BinaryIO, name: str, max_pixels: int) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(file, formats=FORMATS)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        size = f"more than {Image.MAX_IMAGE_PIXELS:,}"
        raise _too_large(name, size, max_pixels) from None
    except UnidentifiedImageError:
        raise QuantlibError(
            f"{name} is no PNG, JPEG or WebP picture; choose another file."
        ) from None
    except Exception as error:
        raise _damaged(name) from error
    if image.width * image.height > max_pixels:
        raise _too_large(name, f"{image.width:,} x {image.height:,}", max_pixels)
    return image


def _upright(image: Image.Image, notes: list[str]) -> Image.Image:
    try:
        if image.getexif().get(ORIENTATION) in range(2, 9):
            image = ImageOps.exif_transpose(image)
            notes.append("EXIF rotation applied")
    except Exception:  # unreadable metadata do not spoil readable pixels
        notes.append("unreadable EXIF data ignored")
    return image


def _split(image: Image.Image, notes: list[str]) -> tuple[np.ndarray, np.ndarray | None]:
    mode, key = image.mode, image.info.get("transparency")
    alpha = None
    if mode in ("1", "L", "LA") or mode.startswith("I"):
        notes.append("greyscale spread over R, G and B")
    elif mode in ("P", "PA"):
        notes.append("palette resolved")
    elif mode == "CMYK":
        notes.append("CMYK converted to RGB")

    if mode == "1" or mode.startswith("I"):  # Pillow neither scales these nor minds their key
        grey = np.asarray(image).astype(np.int64)
        if key is not None:
            alpha = np.where(grey == key, 0, 255).astype(np.uint8)
        grey = (grey * 255 if mode == "1" else grey >> 8).astype(np.uint8)
        rgb = np.dstack([grey, grey, grey])
    elif image.has_transparency_data:
        rgba = np.array(image.convert("RGBA"))
        rgb, alpha = np.ascontiguousarray(rgba[..., :3]), np.ascontiguousarray(rgba[..., 3])
    else:
        rgb = np.array(image.convert("RGB"))

    if alpha is not None and alpha.min() == 255:
        notes.append("opaque alpha channel left out")
        alpha = None
    elif alpha is not None:
        notes.append("transparency kept apart")
    return rgb, alpha


def _damaged(name: str) -> QuantlibError:
    return QuantlibError(f"{name} is damaged or incomplete; save or download it again.")


def _too_large(name: str, size: str, max_pixels: int) -> QuantlibError:
    return QuantlibError(
        f"{name} has {size} pixels, above the limit of {max_pixels:,}; choose or cut a smaller one."
    )
