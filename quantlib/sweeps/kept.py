"""A folder of finished units, for all that work on one file system."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from quantlib.errors import QuantlibError
from quantlib.files import make_folder
from quantlib.kept.checked import read_checked, write_checked

try:
    import fcntl
except ImportError:  # Windows has other locks
    fcntl = None


@dataclass(frozen=True)
class Kept:
    """Results under the digests of their units, each written once and whole.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     kept = Kept(Path(folder))
    ...     with kept.claim("ab12"):
    ...         kept.put("ab12", b"35.51 dB")
    ...     kept.get("ab12"), kept.get("cd34")
    (b'35.51 dB', None)
    """

    folder: Path

    def get(self, digest: str) -> bytes | None:
        return read_checked(self._path(digest))

    def put(self, digest: str, content: bytes) -> None:
        """Raises a QuantlibError where there is no room for it."""
        write_checked(self._path(digest), content)

    @contextmanager
    def claim(self, digest: str) -> Iterator[None]:
        """Inside `with` nobody else has this claim; who wants it waits.

        The claim of a process that ends, however it ends, is gone with it, so no clock is asked.
        Where files cannot be locked, everybody has it: the same is then computed more than once.
        """
        path = self._path(digest).with_suffix(".claim")
        file = None
        with suppress(OSError, QuantlibError):
            make_folder(path.parent)
            file = _locked(path)
        try:
            yield
        finally:
            if file is not None:
                path.unlink(missing_ok=True)
                file.close()

    def _path(self, digest: str) -> Path:
        return self.folder / digest[:2] / digest


def _locked(path: Path) -> BinaryIO | None:
    """The file at `path`, locked for this process alone; None where there are no locks."""
    if fcntl is None:
        return None
    while True:
        file = path.open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        except FileNotFoundError:
            pass  # whoever had it has removed it
        except BaseException:
            file.close()
            raise
        file.close()
