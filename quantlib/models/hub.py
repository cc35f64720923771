"""Fetching one checkpoint file from the Hugging Face Hub, or from its local cache."""

import errno
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import (
    HfApi,
    constants,
    get_session,
    hf_hub_download,
    hf_hub_url,
    metadata_load,
    try_to_load_from_cache,
)
from huggingface_hub.errors import (
    EntryNotFoundError,
    FileMetadataError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from quantlib.errors import QuantlibError
from quantlib.models.checkpoint import SUFFIXES, require_suffix
from quantlib.models.hub_digest import checked_sha256

USUAL_FILES = (
    "model.safetensors",
    "pytorch_model_2x.pt",
    "pytorch_model_3x.pt",
    "pytorch_model_4x.pt",
    "pytorch_model.bin",
)
TOO_MANY_REQUESTS, OWN_ERRORS = 429, 500  # and above

_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?"
_REFERENCE = re.compile(
    rf"(?P<repository>{_PART}/{_PART})"
    r"(?:@(?P<revision>[A-Za-z0-9][A-Za-z0-9._/-]{0,199}))?"
    r"(?::(?P<file>[A-Za-z0-9][A-Za-z0-9._+/ -]{0,199}))?"
)


@dataclass(frozen=True)
class HubReference:
    """A file on the Hub: repository, revision (branch, tag or commit), path, "model" or "dataset".

    >>> reference = HubReference.parse("eugenesiow/edsr-base@d622f68:pytorch_model_2x.pt")
    >>> reference.repository, reference.revision, reference.file
    ('eugenesiow/edsr-base', 'd622f68', 'pytorch_model_2x.pt')
    >>> str(HubReference.parse("hub:eugenesiow/pan"))
    'hub:eugenesiow/pan'
    """

    repository: str
    revision: str | None = None
    file: str | None = None
    kind: str = "model"

    @classmethod
    def parse(cls, text: str) -> "HubReference":
        """The reference in `OWNER/NAME[@REVISION][:FILE]`, with or without `hub:` in front.

        Raises a `QuantlibError` for anything else, such as a file outside the repository.
        """
        match = _REFERENCE.fullmatch(text.removeprefix("hub:"))
        if match is None or ".." in text or "--" in match["repository"]:
            raise QuantlibError(
                f"{text!r} does not name a model on the Hub; write OWNER/NAME, OWNER/NAME:FILE or "
                "OWNER/NAME@REVISION:FILE."
            )
        if match["file"]:
            require_suffix(match["file"])
        return cls(**match.groupdict())

    @property
    def is_pinned(self) -> bool:
        """Whether the revision is a commit, which never changes."""
        return re.fullmatch(r"[0-9a-f]{7,40}", self.revision or "") is not None

    def __str__(self) -> str:
        revision = f"@{self.revision}" if self.revision else ""
        folder = "" if self.kind == "model" else f"{self.kind}s/"
        return f"hub:{folder}{self.repository}{revision}" + (f":{self.file}" if self.file else "")


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


def fetch(reference: HubReference) -> HubFile:
    """The file of `reference` on this machine, downloaded where it is not in the cache yet.

    Without a file name the repository's checkpoint is chosen: the first of `USUAL_FILES`, or the
    only one there. A pinned file that is in the cache needs no connection, and any cached file
    is used while the Hub cannot be reached. The address is `HF_ENDPOINT`, if that is set.

    Raises a `QuantlibError` when the repository, revision or file does not exist or is not open to
    everybody, when the Hub cannot be reached or is busy, when the disk is full, and when the bytes
    are not those that the Hub states; such bytes leave the cache, so that the next try is whole.
    """
    cached = reference.is_pinned and reference.file and _is_cached(reference, reference.file)
    online = not cached and hub_reachable(timeout=5)
    if online:
        _refuse_if_busy(reference)
    file = reference.file or _choose(reference, online)
    path = _download(reference, file, online)
    digest = checked_sha256(path, str(reference))
    commit = path.parts[-1 - len(Path(file).parts)]
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
    """Whether the Hub answers within `timeout` seconds; False under `HF_HUB_OFFLINE`."""
    try:
        return get_session().head(_endpoint(), timeout=timeout).status_code < OWN_ERRORS
    except Exception:  # the HTTP client's errors share no base class with OSError
        return False


def _refuse_if_busy(reference: HubReference) -> None:
    """One request ahead of huggingface_hub, which would repeat a busy one for half a minute."""
    url = hf_hub_url(
        reference.repository,
        reference.file or "README.md",
        revision=reference.revision,
        repo_type=reference.kind,
        endpoint=_endpoint(),
    )
    try:
        answer = get_session().head(url, timeout=5, follow_redirects=False)
    except Exception:  # the download itself says what is wrong
        return
    if busy := _busy(reference, answer.status_code, answer.headers.get("Retry-After")):
        raise busy


def _busy(reference: HubReference, status: int, retry_after: str | None) -> QuantlibError | None:
    """What an answer with this status says of the Hub itself, if it does."""
    otherwise = "or use a bundled network such as builtin:edsr-x2"
    if status == TOO_MANY_REQUESTS:
        wait = f"in {retry_after} seconds" if (retry_after or "").isdigit() else "in some minutes"
        return QuantlibError(
            f"The Hub has had too many requests from here to send {reference}; try again {wait}, "
            f"{otherwise}."
        )
    if status < OWN_ERRORS:
        return None
    return QuantlibError(
        f"The Hub has an error of its own (status {status}) and cannot send {reference}; try again "
        f"later, {otherwise}."
    )


def _endpoint() -> str:
    """Read at every call: huggingface_hub reads the variable once, when it is imported."""
    return os.environ.get("HF_ENDPOINT") or constants.ENDPOINT


def _is_cached(reference: HubReference, file: str) -> bool:
    found = try_to_load_from_cache(
        reference.repository,
        file,
        cache_dir=constants.HF_HUB_CACHE,
        revision=reference.revision,
        repo_type=reference.kind,
    )
    return isinstance(found, str)


def _choose(reference: HubReference, online: bool) -> str:
    if not online:
        file = next((name for name in USUAL_FILES if _is_cached(reference, name)), None)
        if file is None:
            raise _unreachable(reference)
        return file
    files = _checkpoints(reference)
    usual = [name for name in USUAL_FILES if name in files]
    if usual:
        return usual[0]
    if len(files) == 1:
        return files[0]
    if not files:
        raise QuantlibError(
            f"{reference.repository} holds no checkpoint; choose a repository with a file that "
            f"ends in {', '.join(SUFFIXES)}."
        )
    raise QuantlibError(
        f"{reference.repository} holds several checkpoints; add one of them to the name, "
        f"as in {reference}:{files[0]} (there are {_listed(files)})."
    )


def _checkpoints(reference: HubReference) -> list[str]:
    try:
        files = HfApi(endpoint=_endpoint()).list_repo_files(
            reference.repository, revision=reference.revision, repo_type=reference.kind
        )
    except Exception as error:
        raise _explain(error, reference, None) from error
    return sorted(name for name in files if name.lower().endswith(SUFFIXES))


def _download(reference: HubReference, file: str, online: bool) -> Path:
    try:
        path = hf_hub_download(
            reference.repository,
            file,
            revision=reference.revision,
            repo_type=reference.kind,
            endpoint=_endpoint(),
            cache_dir=constants.HF_HUB_CACHE,
            local_files_only=not online,
        )
    except Exception as error:  # _explain turns every kind into a sentence
        raise _explain(error, reference, file) from error
    return Path(path)


def _licence(reference: HubReference, commit: str, online: bool) -> str | None:
    """The licence that the card states, None where there is no card or it states none."""
    try:
        card = hf_hub_download(
            reference.repository,
            "README.md",
            revision=commit,
            repo_type=reference.kind,
            endpoint=_endpoint(),
            cache_dir=constants.HF_HUB_CACHE,
            local_files_only=not online,
        )
        licence = (metadata_load(card) or {}).get("license")
    except Exception:  # the network works without its card
        return None
    return licence if isinstance(licence, str) else None


def _explain(error: Exception, reference: HubReference, file: str | None) -> QuantlibError:
    """One sentence for an error of huggingface_hub; subclasses come before their bases."""
    repository = reference.repository
    cause = error.__cause__
    if isinstance(error, LocalEntryNotFoundError) and isinstance(
        cause, HfHubHTTPError | FileMetadataError
    ):
        error = cause  # it was reached, but did not answer with a file
    if isinstance(error, GatedRepoError):
        return QuantlibError(
            f"{repository} asks for its terms to be accepted; accept them on its page on the Hub "
            "and log in with `hf auth login`."
        )
    if isinstance(error, RepositoryNotFoundError):
        return QuantlibError(
            f"There is no public {reference.kind} {repository} on the Hub; check the owner and "
            "the name."
        )
    if isinstance(error, RevisionNotFoundError):
        return QuantlibError(
            f"{repository} has no revision {reference.revision}; leave it out or give a branch, "
            "tag or commit that exists."
        )
    if isinstance(error, LocalEntryNotFoundError):
        return _unreachable(reference)
    if isinstance(error, EntryNotFoundError):
        return QuantlibError(f"{repository} has no file {file}; {_advice(reference)}")
    if isinstance(error, HfHubHTTPError) and error.response.status_code in (401, 403):
        return QuantlibError(
            f"The Hub refused access to {repository}; log in with `hf auth login` or choose a "
            f"public {reference.kind}."
        )
    if isinstance(error, HfHubHTTPError):
        answer = error.response
        if busy := _busy(reference, answer.status_code, answer.headers.get("Retry-After")):
            return busy
    if isinstance(error, FileMetadataError):
        return QuantlibError(
            f"{_endpoint()} does not answer as the Hub does; check HF_ENDPOINT and the proxy, or "
            "use a bundled network such as builtin:edsr-x2."
        )
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return QuantlibError(
            f"The disk is full, so {reference} could not be stored; free some space or point "
            "HF_HOME to another disk."
        )
    if isinstance(error, PermissionError) or (
        isinstance(error, OSError) and error.errno == errno.EROFS
    ):
        return QuantlibError(
            f"{reference} could not be stored in the download cache; point HF_HOME to a folder "
            "that can be written."
        )
    return QuantlibError(
        f"The download of {reference} stopped; try again, or use a bundled network such as "
        "builtin:edsr-x2."
    )


def _unreachable(reference: HubReference) -> QuantlibError:
    return QuantlibError(
        f"The Hugging Face Hub cannot be reached and {reference} is not on this machine yet; check "
        "the connection, or use a bundled network such as builtin:edsr-x2, which needs none."
    )


def _advice(reference: HubReference) -> str:
    try:
        files = _checkpoints(reference)
    except QuantlibError:
        files = []
    if files:
        return f"its checkpoints are {_listed(files)}."
    return f"usual names are {_listed(USUAL_FILES)}."


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:8])
    return shown if len(names) <= 8 else f"{shown} and {len(names) - 8} more"
