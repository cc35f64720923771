"""Whether a file of the Hub has the bytes that the Hub states."""

import hashlib
import re
from pathlib import Path

from quantlib.models.hub.sentences import wrong_bytes


def checked_sha256(path: Path, title: str) -> str:
    """The SHA-256 of a file in huggingface_hub's cache; `title` is what a person calls it.

    The cache names its content by the Hub's digest: SHA-256 of large files, Git's SHA-1 of others.
    Raises QuantlibError for other bytes, which leave the cache.
    """
    blob = path.resolve()
    stated, digest = blob.name, _sha256(path)
    if re.fullmatch(r"[0-9a-f]{64}", stated):
        whole = digest == stated
    elif re.fullmatch(r"[0-9a-f]{40}", stated):
        whole = _git_sha1(path) == stated
    else:  # a cache without links, whose files have their own names
        whole = True
    if not whole:
        path.unlink(missing_ok=True)
        blob.unlink(missing_ok=True)
        raise wrong_bytes(title)
    return digest


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _git_sha1(path: Path) -> str:
    content = path.read_bytes()  # small: Git itself holds no large file on the Hub
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
