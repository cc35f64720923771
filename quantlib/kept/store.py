"""A folder of results under their digests, for any number of processes that read and write."""

import os
import threading
from contextlib import suppress
from pathlib import Path

from quantlib.errors import QuantlibError
from quantlib.files import sweep
from quantlib.kept.checked import CHECK, read_checked, write_checked


class Store:
    """At most about `most` bytes in `folder`; what was not used for longest leaves first.

    A result is written once, whole or not at all, and comes back as it was written or not at all.
    Where the folder cannot be written to, nothing is kept and nothing fails.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     store = Store(Path(folder), most=1000)
    ...     store.put("ab12", b"35.51 dB")
    ...     store.get("ab12"), store.get("cd34")
    (b'35.51 dB', None)
    """

    def __init__(self, folder: Path, most: int) -> None:
        self.folder, self.most = folder, most
        self._unseen = most  # bytes written since the folder was looked at
        self._trimming = threading.Lock()

    def get(self, digest: str) -> bytes | None:
        path = self._path(digest)
        content = read_checked(path)
        if content is not None:
            with suppress(OSError):
                os.utime(path)
        return content

    def put(self, digest: str, content: bytes) -> None:
        try:
            write_checked(self._path(digest), content)
        except QuantlibError:
            return
        self._unseen += CHECK + len(content)
        if self._unseen > self.most // 16:
            self._trim()

    def _path(self, digest: str) -> Path:
        return self.folder / digest[:2] / digest

    def _trim(self) -> None:
        """Removes what was not used for longest, until an eighth of the room is free."""
        with self._trimming:
            self._unseen = 0
            for folder in self.folder.glob("*"):
                sweep(folder)
            files = []
            for path in self.folder.glob("*/*"):
                with suppress(OSError):  # another process was faster
                    stat = path.stat()
                    files.append((stat.st_mtime_ns, stat.st_size, path))
            held = sum(size for _, size, _ in files)
            if held <= self.most:
                return
            for _, size, path in sorted(files):
                if held <= self.most - self.most // 8:
                    break
                with suppress(OSError):
                    path.unlink()
                held -= size
