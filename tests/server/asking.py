"""Requests with any headers, of a server or of an ASGI app in this process."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message

from tests import own_loop

SECONDS = 30


@dataclass(frozen=True)
class Answer:
    """`headers` by name in small letters."""

    status: int
    headers: Mapping[str, str]
    text: str


def ask(
    url: str, path: str = "/", *, method: str = "GET", body: bytes = b"", **headers: str
) -> Answer:
    """With these headers: an underscore in a name is a hyphen, and a `Host` is the only one."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=SECONDS)
    try:
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        if body:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, text)
    finally:
        connection.close()


async def ask_app(app: ASGIApp, path: str = "/", method: str = "GET", **headers: str) -> Answer:
    """What an ASGI app sends, also where it fails afterwards."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    given = {"host": "localhost"} | {n.replace("_", "-"): v for n, v in headers.items()}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }
    with suppress(ArithmeticError):  # those that tests raise
        await app(scope, receive, send)
    start, *bodies = sent
    received = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], received, b"".join(b["body"] for b in bodies).decode())


def asked(app: ASGIApp, path: str = "/", method: str = "GET", **headers: str) -> Answer:
    return own_loop.run(ask_app(app, path, method, **headers))
