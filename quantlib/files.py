"""Files: read with a sentence for what goes wrong, and written whole or not at all."""

import errno
import os
import re
import secrets
import stat
import sys
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from quantlib.errors import QuantlibError

if sys.platform != "win32":
    import fcntl

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
PART = re.compile(r"\.bitlens-[0-9a-f]{16}\.part")
"""What a file is called until it is whole."""


@contextmanager
def opened_file(path: Path, wanted: str = "") -> Iterator[BinaryIO]:
    """The bytes of the file at `path`; QuantlibError for what is not there or may not be read.

    `wanted` is what a person is told to choose inside of a folder.

    >>> with opened_file(Path("no such file")):
    ...     pass
    Traceback (most recent call last):
    quantlib.errors.QuantlibError: There is no file no such file; check the path.
    """
    try:
        if wanted and path.is_dir():
            raise QuantlibError(f"{path} is a folder; choose a {wanted} inside it.")
        with path.open("rb") as file:
            yield file
    except FileNotFoundError:
        raise QuantlibError(f"There is no file {path}; check the path.") from None
    except OSError as error:
        raise QuantlibError(
            f"{path} cannot be read ({error.strerror}); check the path and its permissions."
        ) from None


def write_whole(path: Path, data: bytes) -> None:
    """Puts `data` at `path`, beside it first: what fails leaves the older file as it was.

    What a process that was killed has left in the folder is swept. A device or a pipe is written to
    directly. Raises QuantlibError with the cause.

    >>> write_whole(Path("no such folder/table.json"), b"{}")
    Traceback (most recent call last):
    quantlib.errors.QuantlibError: There is no folder no such folder; create it first.
    """
    with _told(path), _part_of(path) as (part, target):
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            if part != target:
                os.fsync(file.fileno())
        if part != target:
            os.replace(part, target)


def check_writable(path: Path, endings: Collection[str] = ()) -> None:
    """Raises QuantlibError where `write_whole` would, before work is spent on the data.

    `endings` are the suffixes the name may have, in lower case; without them any will do.

    >>> check_writable(Path("table.txt"), (".csv", ".json"))
    Traceback (most recent call last):
    quantlib.errors.QuantlibError: table.txt does not end in .csv or .json; choose another name.
    """
    if endings and path.suffix.lower() not in endings:
        *others, last = endings
        named = f"{', '.join(others)} or {last}" if others else last
        raise QuantlibError(f"{path.name} does not end in {named}; choose another name.")
    with _told(path), _part_of(path):
        pass


def make_folder(path: Path) -> None:
    """The folder `path` with all above it, unless it is there; QuantlibError with the cause.

    >>> make_folder(Path(__file__))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    quantlib.errors.QuantlibError: ...files.py is a file; name a folder.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise QuantlibError(f"{_file_on(path)} is a file; name a folder.") from None
    except OSError as error:
        raise QuantlibError(_sentence(path, error)) from error


def sweep(folder: Path) -> None:
    """Removes what writers that were killed have left in `folder`; nothing fails.

    Whoever writes holds a lock on its part, of which the system lets go when the process ends.
    """
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if PART.fullmatch(entry.name):
                with suppress(OSError), open(entry.path, "rb") as part:
                    if _lock(part, wait=False):
                        os.unlink(entry.path)


@contextmanager
def _part_of(path: Path) -> Iterator[tuple[Path, Path]]:
    """An empty file beside `path`, gone afterwards unless it is renamed, and what to rename it to.

    Both are the same for what can only be written to: a device, a pipe, a terminal.
    """
    target = Path(os.path.realpath(path))  # a link goes on pointing to its file
    mode = _mode(target)
    if mode is not None and stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "is a folder")
    if mode is not None and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "write-protected")
    if mode is not None and not stat.S_ISREG(mode):
        yield target, target
        return
    sweep(target.parent)
    part, held = _new_part(target.parent)
    with closing(held):
        try:
            if mode is not None:
                part.chmod(stat.S_IMODE(mode))
            yield part, target
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)


def _new_part(folder: Path) -> tuple[Path, BinaryIO]:
    """An empty file, locked for as long as what is returned with it is open."""
    while True:
        part = folder / f".bitlens-{secrets.token_hex(8)}.part"
        held = part.open("xb")
        if not _lock(held, wait=True):
            held.close()
            return part, held
        if part.exists():
            return part, held
        held.close()  # swept between its making and its locking


def _lock(file: BinaryIO, wait: bool) -> bool:
    """Locks `file` until it is closed; False where another has, or where nothing can be locked."""
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True


def _mode(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What the system refuses, in one sentence."""
    try:
        yield
    except OSError as error:
        raise QuantlibError(_sentence(path, error)) from error


def _sentence(path: Path, error: OSError) -> str:
    if error.errno in NO_ROOM:
        return f"There is no room for {path} ({error.strerror}); make some and try again."
    if error.errno in FORBIDDEN:
        return f"{path} may not be written ({error.strerror}); choose another place."
    if error.errno == errno.EISDIR:
        return f"{path} is a folder; name a file."
    if error.errno == errno.ENOENT:
        return f"There is no folder {path.parent}; create it first."
    return f"{path} cannot be written ({error.strerror}); choose another place."


def _file_on(path: Path) -> Path:
    """What stands where a folder is needed: `path` or what is above it."""
    found = (one for one in (path, *path.parents) if one.exists() and not one.is_dir())
    return next(found, path)
