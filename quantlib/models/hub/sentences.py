"""What can go wrong with the Hub, a sentence each: what it is, and how to go on."""

import errno
from collections.abc import Sequence

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
from quantlib.files import NO_ROOM
from quantlib.models.hub.reference import HubReference
from quantlib.models.suffixes import SUFFIXES

TOO_MANY_REQUESTS, OWN_ERRORS = 429, 500  # and above
OTHERWISE = "use a bundled network such as builtin:edsr-x2"
REDIRECTED = "TooManyRedirects"  # of the HTTP client, whose errors are not part of the Hub's


def explained(error: Exception, reference: HubReference, endpoint: str) -> QuantlibError:
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
        return unreachable(reference)
    if isinstance(error, EntryNotFoundError):
        return no_such_file(reference, reference.file or "", ())
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
        return no_hub(endpoint)
    if type(error).__name__ == REDIRECTED:
        return QuantlibError(
            f"The Hub sends from one address to the next without end where {reference} should be; "
            f"try again later, or {OTHERWISE}."
        )
    if isinstance(error, OSError) and error.errno in NO_ROOM:
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
    return cut(reference)


def _busy(reference: HubReference, status: int, retry_after: str | None) -> QuantlibError | None:
    """What an answer with this status says of the Hub itself, if it does."""
    if status == TOO_MANY_REQUESTS:
        wait = f"in {retry_after} seconds" if (retry_after or "").isdigit() else "in some minutes"
        return QuantlibError(
            f"The Hub has had too many requests from here to send {reference}; try again {wait}, "
            f"or {OTHERWISE}."
        )
    if status < OWN_ERRORS:
        return None
    return QuantlibError(
        f"The Hub has an error of its own (status {status}) and cannot send {reference}; try again "
        f"later, or {OTHERWISE}."
    )


def unreachable(reference: HubReference) -> QuantlibError:
    return QuantlibError(
        f"The Hugging Face Hub cannot be reached and {reference} is not on this machine yet; check "
        f"the connection, or {OTHERWISE}, which needs none."
    )


def no_hub(endpoint: str) -> QuantlibError:
    return QuantlibError(
        f"{endpoint} does not answer as the Hub does; check HF_ENDPOINT and the proxy, or "
        f"{OTHERWISE}."
    )


def cut(reference: HubReference) -> QuantlibError:
    return QuantlibError(
        f"The download of {reference} stopped before it was complete; try again, or {OTHERWISE}."
    )


def too_slow(reference: HubReference, rate: float) -> QuantlibError:
    """`rate` in bytes per second is what was asked for."""
    return QuantlibError(
        f"The Hub sends {reference} too slowly, less than {rate / 1000:g} kB in a second, so the "
        f"download was given up; try again later, or {OTHERWISE}."
    )


def too_large(reference: HubReference, most: int) -> QuantlibError:
    return QuantlibError(
        f"{reference} has more than {most / 1e6:,.0f} MB, so it is not downloaded; choose a "
        f"smaller file, or {OTHERWISE}."
    )


def wrong_bytes(title: str) -> QuantlibError:
    return QuantlibError(
        f"{title} arrived with other bytes than the Hub states, so it was thrown away; try "
        f"again, or {OTHERWISE}."
    )


def no_such_file(reference: HubReference, file: str, others: Sequence[str]) -> QuantlibError:
    """`others` are the checkpoints that there are, or usual names of them."""
    return QuantlibError(f"{reference.repository} has no file {file}; {_advice(others)}")


def no_checkpoint(reference: HubReference) -> QuantlibError:
    return QuantlibError(
        f"{reference.repository} holds no checkpoint; choose a repository with a file that ends in "
        f"{', '.join(SUFFIXES)}."
    )


def several(reference: HubReference, files: Sequence[str]) -> QuantlibError:
    return QuantlibError(
        f"{reference.repository} holds several checkpoints; add one of them to the name, "
        f"as in {reference}:{files[0]} (there are {_listed(files)})."
    )


USUAL_FILES = (
    "model.safetensors",
    "pytorch_model_2x.pt",
    "pytorch_model_3x.pt",
    "pytorch_model_4x.pt",
    "pytorch_model.bin",
)


def _advice(others: Sequence[str]) -> str:
    if others:
        return f"its checkpoints are {_listed(others)}."
    return f"usual names are {_listed(USUAL_FILES)}."


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:8])
    return shown if len(names) <= 8 else f"{shown} and {len(names) - 8} more"
