"""Fetching in a process of its own, which is ended where it takes too long or nobody waits."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from huggingface_hub import constants

from quantlib.apart.message import Message, Say
from quantlib.apart.running import Limits, run_apart
from quantlib.models.hub.cache import sweep
from quantlib.models.hub.fetching import MOST_BYTES, HubFile, Watch, endpoint, fetch, unwatched
from quantlib.models.hub.reference import HubReference
from quantlib.models.hub.sentences import OTHERWISE, too_slow

LIMITS = Limits(seconds=900, megabytes=400, answer=0)
LEAST_RATE = 5_000  # bytes in a second
PATIENCE = 30.0  # seconds over which that is measured
CHUNK = 1 << 16  # bytes between two words about progress


def fetch_apart(
    reference: HubReference, watch: Watch = unwatched, most: int = MOST_BYTES
) -> HubFile:
    """What `fetch` gives, and its sentences.

    Raises a `QuantlibError` too where the Hub sends less than `LEAST_RATE`, or longer than `LIMITS`
    allow. What `watch` raises ends the download at once; it is called ten times a second.
    """
    pace = _Pace(reference)

    def look(said: Any) -> None:
        done = said.get("done", 0)
        watch(done, said.get("total", 0))
        pace.look(done)

    request = {
        "repository": reference.repository,
        "revision": reference.revision,
        "file": reference.file,
        "kind": reference.kind,
        "most": most,
    }
    advice = f"try again later, or {OTHERWISE}"
    try:
        values, _ = run_apart(
            download,
            Message(request),
            LIMITS,
            f"The download of {reference}",
            advice,
            look,
            _environment(),
        )
    except BaseException:
        sweep()
        raise
    found = HubFile(**values)
    return replace(found, path=Path(found.path))


def _environment() -> dict[str, str]:
    """The same Hub and the same cache, without what would fetch past the bounds set here."""
    return {
        "HF_ENDPOINT": endpoint(),
        "HF_HUB_CACHE": constants.HF_HUB_CACHE,
        "HF_HUB_OFFLINE": str(int(constants.HF_HUB_OFFLINE)),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }


def download(request: Message, say: Say) -> Message:
    """What is done apart."""
    constants.DOWNLOAD_CHUNK_SIZE = CHUNK
    asked = dict(request.values)
    most = asked.pop("most")

    def watch(done: int, total: int) -> None:
        say({"done": done, "total": total})

    found = fetch(HubReference(**asked), watch, most)
    return Message({**vars(found), "path": str(found.path)})


class _Pace:
    """Holds what arrives against the least rate."""

    def __init__(self, reference: HubReference) -> None:
        self._reference = reference
        self._since, self._had = time.monotonic(), 0

    def look(self, done: int) -> None:
        now = time.monotonic()
        if now - self._since < PATIENCE:
            return
        if done - self._had < LEAST_RATE * PATIENCE:
            raise too_slow(self._reference, LEAST_RATE)
        self._since, self._had = now, done
