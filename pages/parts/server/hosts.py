"""Which names the server answers to, and whose pages may open a socket.

Somebody else's page can let its own name lead to this machine (DNS rebinding); the browser then
sends that name as Host. Numbers cannot be led anywhere, so they are known, as are the machine's own
name and those that its settings give.
"""

import os
import re
import socket
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config

from pages.parts.server.refusing import refuse

VARIABLE = "BITLENS_HOSTS"
UNKNOWN = (
    "This server does not go by that name; open it as localhost or by its number, or let whoever "
    f"runs it add the name to {VARIABLE}."
)
FOREIGN = "Only this server's own pages may open a socket; a proxy has to hand the Host header on."


def known_names() -> frozenset[str]:
    """All names, in small letters; one that begins with `*.` stands for what ends like it."""
    return frozenset(name.strip().lower().rstrip(".") for name in _names() if name.strip())


def _names() -> Iterator[str]:
    yield from ("localhost", "*.localhost")
    yield from (own := socket.gethostname(), f"{own}.local")
    for setting in ("server.address", "browser.serverAddress"):
        yield config.get_option(setting) or ""
    yield os.environ.get("SPACE_HOST", "")  # a Hugging Face Space says its name
    yield from re.split(r"[\s,]+", os.environ.get(VARIABLE, ""))


def host_name(host: str) -> str | None:
    """The name in a Host header without its port; None where it is no such header.

    >>> host_name("Demo.example.org:8501"), host_name("[::1]:8501"), host_name("a@b"), host_name("")
    ('demo.example.org', '::1', None, None)
    """
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # a ValueError where it is no number
    except ValueError:
        return None
    if parts.netloc != host or "@" in host or not parts.hostname:
        return None
    return parts.hostname.rstrip(".")


def is_known(name: str, names: frozenset[str]) -> bool:
    """
    >>> names = frozenset({"localhost", "*.example.org"})
    >>> [is_known(n, names) for n in ("localhost", "192.0.2.7", "::1", "a.example.org")]
    [True, True, True, True]
    >>> [is_known(n, names) for n in ("example.org", "notexample.org", "evil.example")]
    [False, False, False]
    """
    if name in names or "*" in names or _is_number(name):
        return True
    return any(name.endswith(known[1:]) for known in names if known.startswith("*."))


def _is_number(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


class KnownHosts:
    """Answers 400 to any other name, and opens sockets for its own pages only.

    Streamlit looks up the machine's address on the internet before it turns a foreign page away;
    here that is not needed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.names = app, known_names()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        name = host_name(hosts[0]) if len(hosts) == 1 else None
        if name is None or not is_known(name, self.names):
            return await refuse(scope, receive, send, 400, "host", UNKNOWN)
        if scope["type"] == "websocket":
            origins = headers.getlist("origin")
            if any(urlsplit(origin).netloc.lower() != hosts[0].lower() for origin in origins):
                return await refuse(scope, receive, send, 403, "origin", FOREIGN)
        await self.app(scope, receive, send)
