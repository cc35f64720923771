"""What a Hub may do wrong: each a sentence, and a cache from which the next try succeeds."""

import hashlib
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from huggingface_hub.utils import WeakFileLock

from quantlib.apart.processes import ROOT
from quantlib.apart.running import Limits
from quantlib.errors import QuantlibError
from quantlib.models.hub import HubFile, HubReference, apart, fetch, fetching
from quantlib.models.hub.apart import fetch_apart
from tests import hub_faults
from tests.hub_server import HubServer, use_hub

NAME, FILE = "me/net", "model.safetensors"
CONTENT = os.urandom(200_000)
CARD = b"---\nlicense: mit\n---\n# A network\n"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, cache: Path) -> Iterator[HubServer]:
    with HubServer() as server:
        use_hub(monkeypatch, server.url, cache)
        server.add(NAME, {FILE: CONTENT, "README.md": CARD})
        yield server


def get(name: str = NAME) -> HubFile:
    return fetch(HubReference.parse(name))


def get_apart(name: str = NAME, **options: int) -> HubFile:
    return fetch_apart(HubReference.parse(name), **options)  # type: ignore[arg-type]


def refused(sentence: str, name: str = NAME, by: Callable[..., HubFile] = get, **options: int):
    with pytest.raises(QuantlibError, match=sentence) as caught:
        by(name, **options)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


def is_whole(cache: Path) -> bool:
    """Nothing half is there, nobody holds a lock, and every file has the bytes it goes by."""
    for lock in cache.rglob("*.lock"):
        with WeakFileLock(lock, timeout=0.01):
            pass
    blobs = [path for path in cache.rglob("blobs/*") if path.is_file()]
    return all(path.name == hashlib.sha256(path.read_bytes()).hexdigest() for path in blobs)


def mended(server: HubServer, cache: Path) -> None:
    """The cache is whole, and the next try succeeds."""
    assert is_whole(cache)
    server.send, server.busy, server.loops, server.stated = None, None, False, None
    server.corrupt.clear()
    server.forbidden.clear()
    received = get()
    assert received.path.read_bytes() == CONTENT and received.licence == "mit"
    assert received.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert is_whole(cache)


def test_what_is_received_is_the_same_as_without_a_process(server, cache):
    seen: list[tuple[int, int]] = []
    received = fetch_apart(HubReference.parse(NAME), lambda *one: seen.append(one))
    assert received == fetch(HubReference.parse(NAME))
    assert {*seen} <= {(0, 0)} | {(done, len(CONTENT)) for done in range(len(CONTENT) + 1)}
    mended(server, cache)


def test_no_hub(server, cache, monkeypatch):
    url = os.environ["HF_ENDPOINT"]
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    refused("cannot be reached and hub:me/net is not on this machine yet.*builtin:edsr-x2")
    monkeypatch.setenv("HF_ENDPOINT", url)
    mended(server, cache)


def test_a_byte_a_second(server, cache, monkeypatch):
    monkeypatch.setattr(apart, "PATIENCE", 2.0)
    server.send = hub_faults.Slow(at_once=70_000)
    refused(
        "sends hub:me/net too slowly, less than 5 kB in a second.*builtin:edsr-x2", by=get_apart
    )
    mended(server, cache)


def test_longer_than_any_download_may_take(server, cache, monkeypatch):
    monkeypatch.setattr(apart, "LIMITS", Limits(3, 400, 0))
    server.send = hub_faults.Slow(pause=0.0001)
    refused("The download of hub:me/net took longer than 3 seconds; try again later", by=get_apart)
    mended(server, cache)


@pytest.mark.parametrize(
    ("send", "sentence"),
    [
        (hub_faults.cut, "stopped before it was complete; try again"),
        (hub_faults.shorter, "stopped before it was complete; try again"),
        (hub_faults.longer, "stopped before it was complete; try again"),
        (hub_faults.huge, "has more than 2,000 MB, so it is not downloaded; choose a smaller"),
        (hub_faults.refused(500), r"an error of its own \(status 500\).*builtin:edsr-x2"),
        (hub_faults.refused(401), "refused access to me/net"),
    ],
    ids=["cut", "shorter", "longer", "huge", "500", "401"],
)
def test_a_file_that_does_not_come(server, cache, send, sentence):
    server.send = send
    refused(sentence, by=get_apart if send in (hub_faults.cut,) else get)
    mended(server, cache)


def test_a_file_without_an_end(server, cache):
    server.send = hub_faults.endless
    refused("has more than 1 MB, so it is not downloaded", by=get_apart, most=1_000_000)
    mended(server, cache)


def test_a_huge_length_is_refused_before_anything_is_written(server, cache):
    server.stated = 10**12
    refused("has more than 2,000 MB, so it is not downloaded")
    assert not [*cache.rglob("blobs/*")]
    assert f"GET /me/net/resolve/main/{FILE}" not in server.requests
    mended(server, cache)


@pytest.mark.parametrize(
    ("status", "sentence"), [(429, "try again in 7 seconds"), (500, "status 500"), (401, "refused")]
)
def test_an_answer_that_is_none(server, cache, status, sentence):
    server.busy = status
    refused(sentence)
    mended(server, cache)


def test_a_repository_that_is_not_there(server, cache):
    refused("There is no public model me/other on the Hub; check", "me/other")
    mended(server, cache)


def test_redirects_without_an_end(server, cache):
    server.loops = True
    refused("from one address to the next without end where hub:me/net should be.*builtin:edsr-x2")
    mended(server, cache)


def test_right_length_and_wrong_bytes(server, cache):
    server.corrupt = {FILE}
    refused("arrived with other bytes than the Hub states")
    mended(server, cache)


@pytest.mark.parametrize("requests", range(1, 5))
def test_a_repository_that_changes_in_between_gives_one_commit(server, cache, requests):
    (first,) = server._commits[NAME]
    other = {FILE: CONTENT[::-1], "README.md": b"---\nlicense: other\n---\n"}
    server.meanwhile = [int] * (requests - 1) + [lambda: server.add(NAME, other)]
    received = get()
    assert not server.meanwhile
    assert (received.commit, received.path.read_bytes(), received.licence) == (
        first,
        CONTENT,
        "mit",
    )
    again = get()
    assert (again.path.read_bytes(), again.licence) == (CONTENT[::-1], "other")


@pytest.mark.parametrize("name", ["../../../../evil.safetensors", "/evil.safetensors", "a/../b.pt"])
def test_names_outside_the_repository(server, cache, tmp_path, name):
    server.add(NAME, {name: CONTENT})
    refused("holds no checkpoint")
    with pytest.raises(QuantlibError, match="does not name a model"):
        HubReference.parse(f"{NAME}:{name}")
    assert not [*tmp_path.rglob("evil*")]


def test_a_commit_that_is_a_path(server, cache, tmp_path):
    server._commits[NAME] = {"../../../evil": {FILE: CONTENT}}
    refused("does not answer as the Hub does")
    assert not [*tmp_path.rglob("evil*")]


def test_a_full_disk(server, cache):
    """What a quota does: the kernel writes no more than so many bytes to a file."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        refused(
            "The disk is full, so hub:me/net could not be stored; free some space", by=get_apart
        )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    mended(server, cache)


def test_a_card_without_an_end_leaves_no_card(server, cache, monkeypatch):
    monkeypatch.setattr(fetching, "MOST_OF_A_CARD", 100)
    server.add(NAME, {FILE: CONTENT, "README.md": CARD + b"x" * 1000})
    received = fetch(HubReference.parse(NAME))
    assert received.licence is None and received.path.read_bytes() == CONTENT
    assert is_whole(cache)


def until(true: Callable[[], object]) -> bool:
    end = time.monotonic() + 30
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    return bool(true())


def test_whoever_watches_ends_it(server, cache):
    slow = server.send = hub_faults.Slow(at_once=150_000)

    class LeftError(BaseException):
        pass

    def leave(done: int, total: int) -> None:
        if done:
            raise LeftError

    with pytest.raises(LeftError):
        fetch_apart(HubReference.parse(NAME), leave)
    assert until(lambda: not slow.sending)
    mended(server, cache)


def test_a_server_that_is_killed_leaves_a_part_and_the_next_one_sweeps_it(server, cache):
    server.send = hub_faults.Slow(at_once=150_000)
    code = (
        f"from quantlib.models.hub import HubReference, fetch\nfetch(HubReference.parse({NAME!r}))"
    )
    environment = os.environ | {"HF_HUB_CACHE": str(cache)}
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment)
    try:
        assert until(lambda: [*cache.rglob("*.incomplete")])
        (part,) = cache.rglob("*.incomplete")
        fetching.sweep()
        assert part.exists()  # somebody writes it
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert part.exists()
    server.send = None
    assert get().path.read_bytes() == CONTENT
    assert is_whole(cache)


def test_a_hub_that_drips_is_not_reachable(server, monkeypatch):
    """Its headers never end, so that no read ever takes too long."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listening:
        stop = threading.Event()

        def drip() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while not stop.wait(0.1):
                    connection.sendall(b"x")

        threading.Thread(target=drip, daemon=True).start()
        port = listening.getsockname()[1]
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{port}")
        assert not fetching.hub_reachable(0.3)
        stop.set()


def test_what_the_library_tried_out_is_swept_once_it_is_old(server, cache):
    repository = get().path.parents[2]
    old, fresh = repository / "blobs" / "tmp_old", repository / "tmpfresh"
    for folder in (repository / "tmpold", fresh):
        folder.mkdir()
        (folder / "dummy_file_src").touch()
    old.touch()
    for tried in (old, repository / "tmpold"):
        os.utime(tried, (0, 0))
    fetching.sweep()
    assert not old.exists() and not (repository / "tmpold").exists() and fresh.exists()
