"""A small Hugging Face Hub on this machine: what huggingface_hub needs to find and fetch files."""

import hashlib
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import uvicorn
from huggingface_hub import constants
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Send = Callable[[bytes, dict[str, str]], Response]


class HubServer:
    """Serves repositories that a test adds; every `add` is a commit, the latest one is `main`.

    `requests` lists what was asked, as "METHOD path"; `is_plain` makes it a web server that knows
    nothing of commits. What is in `corrupt` is sent with its first byte changed; where `busy` is a
    status, every file is answered with it and with `Retry-After: 7`. `loops` sends from an address
    to itself; `stated` is what HEAD says of a file's length; `send`, one of `tests.hub_faults`,
    answers whoever asks for the bytes of a checkpoint. What is in `meanwhile` is called after a
    request each. Use it as a context manager, and `use_hub` to send huggingface_hub here.
    """

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.gated: set[str] = set()
        self.forbidden: set[str] = set()
        self.corrupt: set[str] = set()
        self.busy: int | None = None
        self.loops = False
        self.stated: int | None = None
        self.send: Send | None = None
        self.meanwhile: list[Callable[[], object]] = []
        self.etag: Callable[[bytes], str] = _digest
        self.is_plain = False
        self._commits: dict[str, dict[str, dict[str, bytes]]] = {}
        app = Starlette(
            routes=[
                Route("/", lambda request: Response("a Hub")),
                Route("/api/models/{owner}/{name}/tree/{revision}", self._tree),
                Route("/api/datasets/{owner}/{name}/tree/{revision}", self._tree),
                Route("/{owner}/{name}/resolve/{revision}/{file:path}", self._resolve),
                Route("/datasets/{owner}/{name}/resolve/{revision}/{file:path}", self._resolve),
            ]
        )
        config = uvicorn.Config(
            app,
            host="127.0.0.1",
            port=0,
            log_level="critical",
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def add(self, repository: str, files: dict[str, bytes]) -> str:
        """A new commit with exactly these files; returns its hash."""
        commits = self._commits.setdefault(repository, {})
        commit = hashlib.sha1(f"{repository} {len(commits)}".encode()).hexdigest()
        commits[commit] = files
        return commit

    @property
    def url(self) -> str:
        host, port = self._server.servers[0].sockets[0].getsockname()
        return f"http://{host}:{port}"

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)

    def __enter__(self) -> "HubServer":
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _find(self, request: Request) -> tuple[str, dict[str, bytes]] | Response:
        """Commit and files of the revision that is asked for, or the Hub's answer without them."""
        self.requests.append(f"{request.method} {request.url.path}")
        parts = request.path_params
        repository = f"{parts['owner']}/{parts['name']}"
        if repository in self.forbidden:
            return Response(status_code=403)
        if repository in self.gated:
            return _refusal(403, "GatedRepo")
        if repository not in self._commits:
            return _refusal(404, "RepoNotFound")
        commits = self._commits[repository]
        for commit, files in reversed(commits.items()):
            if parts["revision"] == "main" or commit.startswith(parts["revision"]):
                return commit, files
        return _refusal(404, "RevisionNotFound")

    def _tree(self, request: Request) -> Response:
        found = self._find(request)
        if isinstance(found, Response):
            return found
        return JSONResponse(
            [
                {"type": "file", "path": path, "size": len(content), "oid": _digest(content)}
                for path, content in found[1].items()
            ]
        )

    def _resolve(self, request: Request) -> Response:
        found = self._find(request)
        if self.meanwhile:
            self.meanwhile.pop(0)()
        if self.loops:
            return Response(status_code=302, headers={"Location": request.url.path})
        if isinstance(found, Response):
            return found
        if self.busy:
            return Response(status_code=self.busy, headers={"Retry-After": "7"})
        commit, files = found
        content = files.get(request.path_params["file"])
        if content is None:
            return _refusal(404, "EntryNotFound", commit)
        if self.is_plain:
            return Response(content)
        etag = self.etag(content)
        if request.path_params["file"] in self.corrupt:
            content = bytes([content[0] ^ 1]) + content[1:]
        headers = {"X-Repo-Commit": commit, "ETag": f'"{etag}"'}
        is_card = request.path_params["file"] == "README.md"
        if request.method == "HEAD" and self.stated is not None and not is_card:
            return Response(headers=headers | {"Content-Length": str(self.stated)})
        if request.method == "GET" and self.send is not None and not is_card:
            return self.send(content, headers)
        return Response(content, media_type="application/octet-stream", headers=headers)


def use_hub(monkeypatch: pytest.MonkeyPatch, url: str, cache: Path) -> None:
    """Sends huggingface_hub to `url` with `cache` as its only cache, for the rest of a test."""
    monkeypatch.setenv("HF_ENDPOINT", url)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_PROGRESS_BARS", True)


def _refusal(status: int, code: str, commit: str | None = None) -> Response:
    headers = {"X-Error-Code": code} | ({"X-Repo-Commit": commit} if commit else {})
    return Response(status_code=status, headers=headers)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
