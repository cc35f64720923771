"""Pictures that lie under a path, which only the command line and code of one's own name."""

from pathlib import Path

import numpy as np

from quantlib.errors import QuantlibError
from quantlib.files import check_writable, write_whole
from quantlib.imaging.encoding import JPEG, LOSSLESS, format_for, picture_bytes
from quantlib.imaging.reading import MAX_PIXELS, Picture, read_picture


def read_picture_file(path: str | Path, name: str = "", max_pixels: int = MAX_PIXELS) -> Picture:
    """The picture at `path`, as `read_picture` reads it.

    Raises QuantlibError for what is not there or may not be read, too.
    """
    path = Path(path)
    name = name or path.name
    try:
        if path.is_dir():
            raise QuantlibError(f"{name} is a folder; choose a picture file inside it.")
        with path.open("rb") as file:
            return read_picture(file, name, max_pixels)
    except FileNotFoundError:
        raise QuantlibError(f"There is no picture {name}; check the path {path}.") from None
    except OSError as error:
        raise QuantlibError(
            f"{name} cannot be read ({error.strerror}); check the path and its permissions."
        ) from None


def check_picture_writable(
    path: Path, quality: int | None = None, transparent: bool = False, longest: int = 0
) -> None:
    """Raises QuantlibError where `write_picture` would, before work is spent on the picture.

    `longest` is its longer side in pixels.

    >>> check_picture_writable(Path("small.gif"))
    Traceback (most recent call last):
    quantlib.errors.QuantlibError: small.gif does not end in .png, .tif, .tiff, .webp, .bmp, .jpg \
or .jpeg; choose another name.
    """
    check_writable(path, (*LOSSLESS, *JPEG))
    format_for(path.suffix.lower(), quality, transparent, longest)


def write_picture(
    path: Path,
    rgb: np.ndarray,
    alpha: np.ndarray | None = None,
    profile: bytes | None = None,
    quality: int | None = None,
) -> None:
    """Writes a picture as `picture_bytes` encodes it by the path's ending, whole or not at all.

    >>> write_picture(Path("small.jpg"), np.zeros((1, 1, 3), np.uint8))
    Traceback (most recent call last):
    quantlib.errors.QuantlibError: JPEG loses detail; choose its quality, 1 to 100, or a .png file.
    """
    check_picture_writable(path, quality)
    write_whole(path, picture_bytes(rgb, path.suffix.lower(), alpha, profile, quality))
