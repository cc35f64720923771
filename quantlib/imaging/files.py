"""Pictures that lie under a path, which only the command line and code of one's own name."""

from pathlib import Path

import numpy as np

from quantlib.errors import QuantlibError
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


def write_picture(path: Path, rgb: np.ndarray, alpha: np.ndarray | None = None) -> None:
    """Writes a PNG file; raises QuantlibError for another suffix or a place that is not there.

    >>> write_picture(Path("small.jpg"), np.zeros((1, 1, 3), np.uint8))
    Traceback (most recent call last):
    quantlib.errors.QuantlibError: small.jpg does not end in .png; results are stored without loss.
    """
    if path.suffix.lower() != ".png":
        raise QuantlibError(f"{path.name} does not end in .png; results are stored without loss.")
    data = png_bytes(rgb, alpha)
    try:
        path.write_bytes(data)
    except FileNotFoundError:
        raise QuantlibError(f"There is no folder {path.parent}; create it first.") from None
    except OSError as error:
        raise QuantlibError(
            f"{path} cannot be written ({error.strerror}); choose another place."
        ) from None
