"""The pictures of a folder, as people and operating systems leave it."""

import filecmp
import os
import re
from collections.abc import Collection
from pathlib import Path

from quantlib.errors import QuantlibError
from quantlib.imaging.formats import ENDINGS

# Thumbnails, archives' remains and bins; hidden folders and files begin with a dot.
SYSTEM_FOLDERS = {"__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information"}
DOWNLOADED_AGAIN = re.compile(r"(?P<stem>.+?) ?\(\d+\)")


def picture_files(folder: Path, below: bool = False) -> list[Path]:
    """The pictures in `folder`, and in the folders `below`, by their endings, as `files_in`."""
    return files_in(folder, ENDINGS, below)


def files_in(folder: Path, endings: Collection[str], below: bool = False) -> list[Path]:
    """The files with one of the `endings` in `folder`, and in the folders `below`, sorted by path.

    What is hidden, what an operating system left behind and copies of a file beside it that bear
    its name and a number are passed over. Raises QuantlibError for a folder that is not there or
    may not be read.
    """
    found = []
    for place, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = [name for name in folders if below and not _is_left_behind(name)]
        paths = [Path(place, name) for name in names if not _is_left_behind(name)]
        found += [path for path in paths if path.suffix.lower() in endings]
    return sorted(path for path in found if not _is_copy(path))


def _refuse(error: OSError) -> None:
    name = error.filename
    if isinstance(error, FileNotFoundError):
        raise QuantlibError(f"There is no folder {name}; check the path.") from error
    if isinstance(error, NotADirectoryError):
        raise QuantlibError(f"{name} is not a folder; name one that holds pictures.") from error
    raise QuantlibError(
        f"The folder {name} cannot be read ({error.strerror}); check its permissions."
    ) from error


def _is_left_behind(name: str) -> bool:
    return name.startswith(".") or name in SYSTEM_FOLDERS


def _is_copy(path: Path) -> bool:
    """Whether it is "name (1).png" with the very content of "name.png" beside it."""
    again = DOWNLOADED_AGAIN.fullmatch(path.stem)
    if again is None:
        return False
    original = path.with_name(again["stem"] + path.suffix)
    try:
        return filecmp.cmp(path, original, shallow=False)
    except OSError:
        return False
