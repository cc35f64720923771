"""The cache of huggingface_hub: what is in it, and what a killed download has left there."""

import shutil
import time
from contextlib import suppress
from pathlib import Path

from huggingface_hub import constants, try_to_load_from_cache
from huggingface_hub.file_download import repo_folder_name
from huggingface_hub.utils import WeakFileLock

from quantlib.errors import QuantlibError
from quantlib.files import make_folder, write_whole
from quantlib.models.hub.reference import HubReference

MAIN = "main"
TRIED_SECONDS = 10.0


def is_cached(reference: HubReference, file: str) -> bool:
    """Whether `file` of this revision, as far as it is known here, lies in the cache."""
    found = try_to_load_from_cache(
        reference.repository,
        file,
        cache_dir=constants.HF_HUB_CACHE,
        revision=reference.revision,
        repo_type=reference.kind,
    )
    return isinstance(found, str)


def remember(reference: HubReference, commit: str) -> None:
    """That this branch, tag or short commit was `commit` when it was asked for last."""
    revision = reference.revision or MAIN
    if revision == commit:
        return
    folder = repo_folder_name(repo_id=reference.repository, repo_type=reference.kind)
    note = Path(constants.HF_HUB_CACHE, folder, "refs", revision)
    with suppress(QuantlibError, OSError):  # without it there is only more to ask
        if not note.is_file() or note.read_text("utf-8") != commit:
            make_folder(note.parent)
            write_whole(note, commit.encode())


def sweep() -> None:
    """Removes parts of files whose downloads were killed: none of them would ever be resumed.

    A part that somebody is writing stays: whoever writes it holds its lock. What the Hub's library
    tries links and modes out on has none; it is used for milliseconds, and removed after seconds.
    """
    cache = Path(constants.HF_HUB_CACHE)
    for part in cache.glob("*/blobs/*.incomplete"):
        digest = part.name.partition(".")[0]
        lock = cache / ".locks" / part.parents[1].name / f"{digest}.lock"
        with suppress(OSError), WeakFileLock(lock, timeout=0.01):  # a Timeout is an OSError
            part.unlink(missing_ok=True)
    for tried in (*cache.glob("*/tmp*"), *cache.glob("*/blobs/tmp*")):
        with suppress(OSError):
            if time.time() - tried.stat().st_mtime > TRIED_SECONDS:
                shutil.rmtree(tried) if tried.is_dir() else tried.unlink()
