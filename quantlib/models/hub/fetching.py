"""Fetching one file from the Hugging Face Hub, or from its local cache."""

import os
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from huggingface_hub import (
    HfApi,
    constants,
    get_hf_file_metadata,
    get_session,
    hf_hub_download,
    hf_hub_url,
    metadata_load,
)
from huggingface_hub.errors import RemoteEntryNotFoundError
from huggingface_hub.utils import tqdm

from quantlib.errors import QuantlibError
from quantlib.models.hub.cache import is_cached, remember, sweep
from quantlib.models.hub.digest import checked_sha256
from quantlib.models.hub.reference import HubReference, is_inside
from quantlib.models.hub.sentences import (
    OWN_ERRORS,
    USUAL_FILES,
    cut,
    explained,
    no_checkpoint,
    no_hub,
    no_such_file,
    several,
    too_large,
    unreachable,
)
from quantlib.models.suffixes import SUFFIXES

MOST_BYTES = 2_000_000_000
"""Of a file that is fetched, unless somebody asks for less."""
MOST_OF_A_CARD = 1_000_000
MOST_RESTARTS = 2
"""How often a download begins anew after it was cut."""
CARD = "README.md"
SECONDS = 5.0  # that the Hub has for a first answer

Watch = Callable[[int, int], None]
"""Sees how many bytes of how many are there; 0 of 0 as long as nothing is known."""


@dataclass(frozen=True)
class HubFile:
    """A file as it was received: `size` in bytes, `commit` and `sha256` in hexadecimal."""

    path: Path
    repository: str
    commit: str
    file: str
    sha256: str
    size: int
    licence: str | None


def unwatched(done: int, total: int) -> None:
    """For a download that nobody follows."""


def fetch(reference: HubReference, watch: Watch = unwatched, most: int = MOST_BYTES) -> HubFile:
    """The file of `reference` on this machine, downloaded where it is not in the cache yet.

    Without a file name the repository's checkpoint is chosen: the first of `USUAL_FILES`, or the
    only one there. A pinned file that is in the cache needs no connection, and any cached file
    is used while the Hub cannot be reached. The first answer of the Hub says which commit a branch
    or a tag is, and all that is asked for afterwards is of that commit. The address is
    `HF_ENDPOINT`, if that is set.

    Raises a `QuantlibError` when the repository, revision or file does not exist or is not open to
    everybody, when it has more bytes than `most`, when the Hub cannot be reached or is busy, when
    the disk is full, and when the bytes are not those that the Hub states. The cache is whole
    afterwards, so that the next try can be.
    """
    cached = reference.is_pinned and reference.file and is_cached(reference, reference.file)
    online = not cached and hub_reachable(SECONDS)
    if online:
        sweep()
    asked = _pinned(reference) if online else reference
    file = reference.file or _choose(asked, reference, online)
    count = partial(_Count, reference, watch, most)
    path = _download(replace(asked, file=file), reference, online, count, most)
    digest = checked_sha256(path, str(reference))
    commit = path.parts[-1 - len(Path(file).parts)]
    if online:
        remember(reference, commit)
    return HubFile(
        path=path,
        repository=reference.repository,
        commit=commit,
        file=file,
        sha256=digest,
        size=path.stat().st_size,
        licence=_licence(reference, commit, online),
    )


def hub_reachable(timeout: float = 2.0) -> bool:
    """Whether the Hub answers, within about `timeout` seconds; False under `HF_HUB_OFFLINE`."""
    answers: list[bool] = []

    def ask() -> None:
        try:
            status = get_session().head(endpoint(), timeout=timeout).status_code
        except Exception:  # the HTTP client's errors share no base class with OSError
            return
        answers.append(status < OWN_ERRORS)

    # The client's own timeout begins anew with every byte.
    asking = threading.Thread(target=ask, name="is the Hub there", daemon=True)
    asking.start()
    asking.join(timeout + 0.5)
    return answers == [True]


def endpoint() -> str:
    """Read at every call: huggingface_hub reads the variable once, when it is imported."""
    return os.environ.get("HF_ENDPOINT") or constants.ENDPOINT


def _pinned(reference: HubReference) -> HubReference:
    """The reference with the commit that its revision is now.

    It is asked for once: huggingface_hub would repeat that for half a minute where the Hub is busy.
    """
    url = hf_hub_url(
        reference.repository,
        reference.file or CARD,
        revision=reference.revision,
        repo_type=reference.kind,
        endpoint=endpoint(),
    )
    try:
        commit = get_hf_file_metadata(url, timeout=SECONDS, endpoint=endpoint()).commit_hash
    except RemoteEntryNotFoundError as error:  # not every repository has a card
        commit = error.response.headers.get(constants.HUGGINGFACE_HEADER_X_REPO_COMMIT)
    except Exception as error:
        raise explained(error, reference, endpoint()) from error
    if not re.fullmatch(r"[0-9a-f]{40}", commit or ""):
        raise no_hub(endpoint())
    return replace(reference, revision=commit)


def _choose(pinned: HubReference, reference: HubReference, online: bool) -> str:
    if not online:
        file = next((name for name in USUAL_FILES if is_cached(reference, name)), None)
        if file is None:
            raise unreachable(reference)
        return file
    files = _checkpoints(pinned, reference)
    usual = [name for name in USUAL_FILES if name in files]
    if usual:
        return usual[0]
    if len(files) == 1:
        return files[0]
    raise several(reference, files) if files else no_checkpoint(reference)


def _checkpoints(pinned: HubReference, reference: HubReference) -> list[str]:
    try:
        files = HfApi(endpoint=endpoint()).list_repo_files(
            pinned.repository, revision=pinned.revision, repo_type=pinned.kind
        )
    except Exception as error:
        raise explained(error, reference, endpoint()) from error
    return sorted(name for name in files if name.lower().endswith(SUFFIXES) and is_inside(name))


def _download(
    pinned: HubReference,
    reference: HubReference,
    online: bool,
    count: "partial[_Count]",
    most: int,
) -> Path:
    file = pinned.file or ""
    try:
        if online and (_of_the_hub(pinned, file, dry_run=True).file_size or 0) > most:
            raise too_large(reference, most)
        return Path(_of_the_hub(pinned, file, local_files_only=not online, tqdm_class=count))
    except QuantlibError:
        raise
    except RemoteEntryNotFoundError as error:
        raise no_such_file(reference, file, _others(pinned, reference)) from error
    except Exception as error:  # `explained` turns every kind into a sentence
        raise explained(error, reference, endpoint()) from error


def _others(pinned: HubReference, reference: HubReference) -> list[str]:
    try:
        return _checkpoints(pinned, reference)
    except QuantlibError:
        return []


def _of_the_hub(reference: HubReference, file: str, **options: Any) -> Any:
    return hf_hub_download(
        reference.repository,
        file,
        revision=reference.revision,
        repo_type=reference.kind,
        endpoint=endpoint(),
        cache_dir=constants.HF_HUB_CACHE,
        **options,
    )


def _licence(reference: HubReference, commit: str, online: bool) -> str | None:
    """The licence that the card states, None where there is no card or it states none."""
    count = partial(_Count, reference, unwatched, MOST_OF_A_CARD)
    try:
        pinned = replace(reference, revision=commit)
        card = _of_the_hub(pinned, CARD, local_files_only=not online, tqdm_class=count)
        licence = (metadata_load(card) or {}).get("license")
    except Exception:  # the network works without its card
        return None
    return licence if isinstance(licence, str) else None


class _Count(tqdm):
    """huggingface_hub's bar, which counts what arrives as well."""

    def __init__(self, reference: HubReference, watch: Watch, most: int, **bar: Any) -> None:
        super().__init__(disable=None, name="huggingface_hub.http_get", **bar)
        self._reference, self._watch, self._most = reference, watch, most
        self._done, self._expected, self._restarts = 0, bar.get("total") or 0, 0
        self._look(0)

    def update(self, n: float | None = 1) -> bool | None:
        self._look(int(n or 0))
        return super().update(n)

    def _look(self, count: int) -> None:
        self._done += count
        self._restarts += count < 0
        if self._restarts > MOST_RESTARTS:
            raise cut(self._reference)
        if max(self._done, self._expected) > self._most:
            raise too_large(self._reference, self._most)
        self._watch(self._done, self._expected)
