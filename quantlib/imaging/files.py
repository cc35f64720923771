"""Pictures that lie under a path, which only the command line and code of one's own name."""

from pathlib import Path

import numpy as np

from quantlib.errors import QuantlibError
from quantlib.files import check_writable, write_whole
from quantlib.imaging.reading import Picture, png_bytes, read_picture


def read_picture_file(path: str | Path, name: str = "") -> Picture:
    """The PNG, JPEG or WebP picture at `path`, as `read_picture` reads it.

    Raises QuantlibError for what is not there or may not be read, too.
    """
    path = Path(path)
    name = name or path.name
    try:
        if path.is_dir():
            raise QuantlibError(f"{name} is a folder; choose a picture file inside it.")
        with path.open("rb") as file:
            return read_picture(file, name)
    except FileNotFoundError:
        raise QuantlibError(f"There is no picture {name}; check the path {path}.") from None
    except OSError as error:
        raise QuantlibError(
            f"{name} cannot be read ({error.strerror}); check the path and its permissions."
        ) from None


def check_picture_writable(path: Path) -> None:
    """Raises QuantlibError where `write_picture` would, before work is spent on the picture."""
    check_writable(path, (".png",))


def write_picture(path: Path, rgb: np.ndarray, alpha: np.ndarray | None = None) -> None:
    """Writes a PNG file, whole or not at all; raises QuantlibError for another suffix.

    >>> write_picture(Path("small.jpg"), np.zeros((1, 1, 3), np.uint8))
    Traceback (most recent call last):
    quantlib.errors.QuantlibError: small.jpg does not end in .png; choose another name.
    """
    check_picture_writable(path)
    write_whole(path, png_bytes(rgb, alpha))
