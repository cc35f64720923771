import errno
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quantlib.errors import QuantlibError
from quantlib.models import hub
from quantlib.models.hub import HubReference, fetch, fetching, hub_reachable
from tests.hub_server import HubServer, use_hub

CARD = b"---\nlicense: mit\n---\n# A network\n"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    with HubServer() as server:
        use_hub(monkeypatch, server.url, tmp_path / "cache")
        yield server


def get(text: str) -> hub.HubFile:
    return fetch(HubReference.parse(text))


@pytest.mark.parametrize(
    "text", ["a/b", "a/b@main", "a/b:c.pt", "a/b@v1.0:x/y.safetensors", "A.b/c_d@refs/pr/1:e f.pth"]
)
def test_references_round_trip(text: str) -> None:
    assert str(HubReference.parse(text)) == f"hub:{text}"
    assert HubReference.parse(f"hub:{text}") == HubReference.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a/b/c",
        "/a/b",
        "a/b@",
        "a/b:",
        "a/b@:c.pt",
        "a/b:/etc/c.pt",
        "a/b:../c.pt",
        "a/b@../x",
        "../b",
        "a/..",
        "a/b:c.exe",
        "a/b:c",
        "a/b c",
        "a--b/c",
        "a/b\n",
        "https://example.org/a/b",
        "a/" + "b" * 200,
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(QuantlibError):
        HubReference.parse(text)


def test_what_was_received(server: HubServer) -> None:
    commit = server.add("me/net", {"sub/model.pt": b"12345", "README.md": CARD})
    received = get("me/net:sub/model.pt")
    assert received.path.read_bytes() == b"12345"
    assert (received.commit, received.file, received.size) == (commit, "sub/model.pt", 5)
    assert received.sha256 == "5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5"
    assert received.licence == "mit"


def test_revisions(server: HubServer) -> None:
    first = server.add("me/net", {"model.safetensors": b"old"})
    second = server.add("me/net", {"model.safetensors": b"new"})
    assert get("me/net").commit == second
    assert get(f"me/net@{first}").path.read_bytes() == b"old"
    assert get(f"me/net@{first[:7]}").commit == first
    assert get("me/net@main:model.safetensors").path.read_bytes() == b"new"


def test_a_pinned_file_is_asked_for_once(server: HubServer) -> None:
    commit = server.add("me/net", {"model.safetensors": b"x", "README.md": CARD})
    for revision in (commit, commit[:7]):
        first = get(f"me/net@{revision}:model.safetensors")
        asked = len(server.requests)
        assert get(f"me/net@{revision}:model.safetensors") == first
        assert len(server.requests) == asked


def test_the_cache_serves_when_the_hub_has_gone(server: HubServer) -> None:
    server.add("me/net", {"model.safetensors": b"x", "README.md": CARD})
    names = ["me/net", "me/net:model.safetensors", "me/net@main:model.safetensors"]
    before = [get(name) for name in names]
    server.stop()
    assert not hub_reachable()
    assert [get(name) for name in names] == before
    for name in ("me/net:other.pt", "me/other", "me/other:model.safetensors"):
        with pytest.raises(QuantlibError, match=r"cannot be reached.*builtin:edsr-x2"):
            get(name)


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        (["pytorch_model.bin", "model.safetensors"], "model.safetensors"),
        (["pytorch_model_4x.pt", "pytorch_model_2x.pt"], "pytorch_model_2x.pt"),
        (["config.json", "2xNet.safetensors"], "2xNet.safetensors"),
    ],
)
def test_the_file_is_chosen(server: HubServer, files: list[str], chosen: str) -> None:
    server.add("me/net", dict.fromkeys(files, b"x"))
    assert get("me/net").file == chosen


def test_sentences(server: HubServer) -> None:
    server.add("me/net", {"a.pt": b"x", "b.pt": b"x", "config.json": b"{}"})
    server.add("me/empty", {"config.json": b"{}"})
    server.gated.add("me/gated")
    server.forbidden.add("me/private")
    for name, sentence in {
        "no/body": "There is no public model no/body",
        "no/body:model.safetensors": "There is no public model no/body",
        "me/net": r"several checkpoints.*hub:me/net:a\.pt",
        "me/net:c.pt": r"has no file c\.pt; its checkpoints are a\.pt, b\.pt",
        "me/empty:c.pt": r"has no file c\.pt; usual names are model\.safetensors",
        "me/empty": "holds no checkpoint",
        "me/net@v9:a.pt": "has no revision v9",
        "me/net@v9": "has no revision v9",
        "me/gated:a.pt": "asks for its terms to be accepted",
        "me/gated": "asks for its terms to be accepted",
        "me/private:a.pt": "refused access to me/private",
        "me/private": "refused access to me/private",
    }.items():
        with pytest.raises(QuantlibError, match=sentence) as caught:
            get(name)
        assert "\n" not in str(caught.value)


def test_a_server_that_is_no_hub(server: HubServer) -> None:
    server.add("me/net", {"model.safetensors": b"x"})
    server.is_plain = True
    with pytest.raises(QuantlibError, match="does not answer as the Hub does; check HF_ENDPOINT"):
        get("me/net:model.safetensors")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "The disk is full"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "The disk is full"),
        (PermissionError(errno.EACCES, "denied"), "point HF_HOME to a folder"),
        (OSError("connection reset"), "stopped before it was complete; try again"),
        (OSError(errno.EROFS, "read-only file system"), "HF_HOME to a folder"),
        (RuntimeError("peer closed connection"), "stopped before it was complete; try again"),
    ],
)
def test_errors_while_storing(
    server: HubServer, monkeypatch: pytest.MonkeyPatch, error: Exception, sentence: str
) -> None:
    def fail(*_: object, **__: object) -> str:
        raise error

    server.add("me/net", {"model.safetensors": b"x"})
    monkeypatch.setattr(fetching, "hf_hub_download", fail)
    with pytest.raises(QuantlibError, match=sentence):
        get("me/net:model.safetensors")


def test_reachability(server: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert hub_reachable()
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert not hub_reachable()


@pytest.mark.parametrize(
    ("status", "sentence"),
    [(429, "try again in 7 seconds"), (500, r"status 500"), (503, r"status 503")],
)
@pytest.mark.parametrize("name", ["a/b", "a/b:model.safetensors"])
def test_a_busy_hub_is_asked_once(server: HubServer, status: int, sentence: str, name: str) -> None:
    server.add("a/b", {"model.safetensors": b"weights"})
    server.busy = status
    with pytest.raises(QuantlibError, match=sentence):
        get(name)
    assert len([asked for asked in server.requests if "/a/b/" in asked]) == 1
    server.busy = None
    assert get(name).path.read_bytes() == b"weights"


def git_sha1(content: bytes) -> str:
    return hashlib.sha1(b"blob " + str(len(content)).encode() + b"\0" + content).hexdigest()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("etag", [git_sha1, sha256])
def test_wrong_bytes_of_the_right_length_do_not_stay(
    server: HubServer, etag: Callable[[bytes], str], tmp_path: Path
) -> None:
    server.add("a/b", {"model.safetensors": b"weights"})
    server.etag = etag
    server.corrupt = {"model.safetensors"}
    with pytest.raises(QuantlibError, match="other bytes than the Hub states"):
        get("a/b")
    blobs = tmp_path / "cache" / "models--a--b" / "blobs"
    assert list(blobs.iterdir()) == []
    server.corrupt = set()
    assert get("a/b").path.read_bytes() == b"weights"


def test_a_cached_file_is_held_against_its_digest(server: HubServer) -> None:
    commit = server.add("a/b", {"model.safetensors": b"weights"})
    name = f"a/b@{commit}:model.safetensors"
    get(name).path.write_bytes(b"Weights")
    with pytest.raises(QuantlibError, match="other bytes"):
        get(name)
    assert get(name).path.read_bytes() == b"weights"
