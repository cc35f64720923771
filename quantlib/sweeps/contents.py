"""What a piece of work reads: files and weights, told apart by what is in them alone."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from quantlib.errors import QuantlibError
from quantlib.files import opened_file


class Content(Protocol):
    """Something that is read. Only what it holds shows in its `repr`, and so in a digest."""

    @property
    def sha256(self) -> str: ...
    def require_same(self) -> None:
        """Raises a QuantlibError where this machine finds something else."""
        ...


@dataclass(frozen=True)
class Files:
    """A file, or all files of a folder."""

    path: Path = field(repr=False)
    sha256: str

    @classmethod
    def at(cls, path: Path) -> "Files":
        path = path.absolute()
        return cls(path, sha256_of(path))

    def require_same(self) -> None:
        if sha256_of(self.path) != self.sha256:
            raise QuantlibError(
                f"{self.path} holds something else where it is read than where the sweep began; "
                "all machines of a sweep need the same files at the same place."
            )


@dataclass(frozen=True)
class Weights:
    """The file of the network `name`."""

    name: str = field(repr=False)
    sha256: str

    @classmethod
    def of(cls, name: str) -> "Weights":
        from quantlib.models.sources import locate  # slow to import

        path = locate(name).path
        return cls(name, _sha256(path, _touched(path), "checkpoint file"))

    def require_same(self) -> None:
        if Weights.of(self.name) != self:
            raise QuantlibError(
                f"The weights of {self.name} are others where they are read than where the sweep "
                "began; install the same everywhere."
            )


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, or of all files of a folder with their names; hexadecimal.

    Files that nobody touched since are not read again. Raises a QuantlibError for what is not
    there.

    >>> sha256_of(Path("no such file"))
    Traceback (most recent call last):
    quantlib.errors.QuantlibError: There is no file no such file; check the path.
    """
    if not path.is_dir():
        return _sha256(path, _touched(path))
    whole = hashlib.sha256()
    for file in _below(path):
        whole.update(f"{file.relative_to(path).as_posix()} {sha256_of(file)} ".encode())
    return whole.hexdigest()


def _below(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(parent, name) for name in sorted(names))


def _touched(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


@lru_cache(maxsize=1 << 16)
def _sha256(path: Path, touched: tuple[int, ...], wanted: str = "") -> str:
    with opened_file(path, wanted) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
