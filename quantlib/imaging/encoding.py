"""Pictures as the bytes of a file."""

from io import BytesIO

import numpy as np
from PIL import Image

from quantlib.errors import QuantlibError
from quantlib.imaging.colour import from_srgb
from quantlib.imaging.formats import ENDINGS_OF

# Pillow's name and options, by the ending; what is not named here is without loss.
LOSSLESS = {
    ".png": ("PNG", {"compress_level": 3}),
    ".tif": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    ".tiff": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    ".webp": ("WEBP", {"lossless": True, "exact": True}),
    ".bmp": ("BMP", {}),
}
JPEG = ENDINGS_OF["JPEG"]
WITHOUT_ALPHA = (".bmp", *JPEG)
LONGEST = {".webp": 16_383, ".jpg": 65_500, ".jpeg": 65_500}  # pixels a side
WITHOUT_PROFILE = (".bmp",)


def png_bytes(rgb: np.ndarray, alpha: np.ndarray | None = None) -> bytes:
    """`uint8 (H, W, 3)`, with `alpha` of `uint8 (H, W)` if there is one, as a PNG file.

    >>> png_bytes(np.zeros((1, 1, 3), np.uint8))[1:4]
    b'PNG'
    """
    return picture_bytes(rgb, ".png", alpha)


def picture_bytes(
    rgb: np.ndarray,
    ending: str,
    alpha: np.ndarray | None = None,
    profile: bytes | None = None,
    quality: int | None = None,
) -> bytes:
    """A picture of sRGB as a file of the format that goes by `ending`.

    With an ICC `profile` the colours are stored as that profile has them, if the format can tell.
    JPEG loses detail and so needs a `quality` of 1 to 100, which the others have no use for.
    Raises QuantlibError for what does not fit together.
    """
    _check(rgb, alpha)
    kind, options = format_for(ending, quality, alpha is not None, max(rgb.shape))
    if profile is not None and ending not in WITHOUT_PROFILE:
        rgb, options = from_srgb(rgb, profile), {**options, "icc_profile": profile}
    pixels = rgb if alpha is None else np.dstack([rgb, alpha])
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def format_for(
    ending: str, quality: int | None = None, transparent: bool = False, longest: int = 0
) -> tuple[str, dict]:
    """Pillow's format and options for a picture, `longest` pixels on its longer side.

    Raises QuantlibError where the format does not hold it or the choice is not clear.

    >>> format_for(".jpg")
    Traceback (most recent call last):
    quantlib.errors.QuantlibError: JPEG loses detail; choose its quality, 1 to 100, or a .png file.
    """
    if transparent and ending in WITHOUT_ALPHA:
        raise QuantlibError(f"A {ending} file holds no transparency; name a .png file.")
    if longest > LONGEST.get(ending, longest):
        raise QuantlibError(
            f"A {ending} file holds {LONGEST[ending]:,} pixels a side, not {longest:,}; name a "
            ".png file."
        )
    if ending in JPEG:
        if quality is None:
            raise QuantlibError("JPEG loses detail; choose its quality, 1 to 100, or a .png file.")
        if not 1 <= quality <= 100:
            raise QuantlibError(f"JPEG's quality is 1 to 100, not {quality}; choose one of these.")
        return "JPEG", {"quality": quality, "subsampling": 0}
    if quality is not None:
        raise QuantlibError(f"A {ending} file is stored without loss; leave the quality out.")
    return LOSSLESS[ending]


def _check(rgb: np.ndarray, alpha: np.ndarray | None) -> None:
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or 0 in rgb.shape:
        raise QuantlibError(
            f"A picture is uint8 (H, W, 3), not {rgb.dtype} {rgb.shape}; convert it first."
        )
    if alpha is not None and (alpha.dtype != np.uint8 or alpha.shape != rgb.shape[:2]):
        raise QuantlibError(
            f"The transparency of a {rgb.shape[0]} x {rgb.shape[1]} picture has its size and "
            f"type uint8, not {alpha.dtype} {alpha.shape}; enlarge it along with the picture."
        )
