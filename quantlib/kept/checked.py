"""Files that say themselves whether they are whole."""

import hashlib
from pathlib import Path

from quantlib.files import make_folder, write_whole

CHECK = hashlib.sha256().digest_size


def read_checked(path: Path) -> bytes | None:
    """What `write_checked` wrote; None where there is nothing, or something else.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "ab" / "ab12"
    ...     write_checked(path, b"35.51 dB")
    ...     whole = read_checked(path)
    ...     _ = path.write_bytes(path.read_bytes()[:-1])
    ...     whole, read_checked(path), read_checked(path.parent / "cd34")
    (b'35.51 dB', None, None)
    """
    try:
        whole = path.read_bytes()
    except OSError:
        return None
    check, content = whole[:CHECK], whole[CHECK:]
    return content if hashlib.sha256(content).digest() == check else None


def write_checked(path: Path, content: bytes) -> None:
    """`content` with its SHA-256, whole or not at all; the folder is made.

    Raises QuantlibError with the cause.
    """
    make_folder(path.parent)
    write_whole(path, hashlib.sha256(content).digest() + content)
