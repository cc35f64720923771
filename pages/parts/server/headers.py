"""What every answer tells a browser: to ask nobody else, and to be framed by nobody."""

import base64
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

import streamlit
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.parts.server.space import HUB, in_space

INDEX = Path(streamlit.__file__).parent / "static" / "index.html"
INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
HOST_AND_PORT = re.compile(r"[A-Za-z0-9.-]+(:\d+)?")
ACROSS = re.compile("access-control-", re.IGNORECASE)
"""What lets pages of others read an answer: uploads have it for whatever listens on localhost."""
BROKEN = "Something went wrong on the server; try again."

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def hashes(page: str) -> list[str]:
    """What allows exactly the scripts that stand in `page`."""
    digests = (hashlib.sha256(one.encode()).digest() for one in INLINE_SCRIPT.findall(page))
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]


def content_policy(host: str, scripts: Iterable[str], framed_by: str) -> str:
    """The Content-Security-Policy for pages of `host`.

    Streamlit writes styles into its pages, and loads the script of a component from a blob.
    Sockets are named, as not every browser counts them as 'self'.
    """
    sockets = [f"ws://{host}", f"wss://{host}"] if HOST_AND_PORT.fullmatch(host) else []
    sources = {
        "default-src": ["'none'"],
        "script-src": ["'self'", "blob:", *scripts],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:", "blob:"],
        "media-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'", "data:"],
        "connect-src": ["'self'", *sockets, "data:", "blob:"],
        "worker-src": ["'self'", "blob:"],
        "manifest-src": ["'self'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": [framed_by],
    }
    return "; ".join(f"{name} {' '.join(values)}" for name, values in sources.items())


class SecurityHeaders:
    """Puts them on every answer, errors included, and lets no other page read it.

    A Space is shown inside the Hub's page.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.scripts = app, hashes(INDEX.read_text("utf-8"))
        self.in_space = in_space()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        host, begun = Headers(scope=scope).get("host", ""), False

        async def send_with_headers(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name in filter(ACROSS.match, headers.keys()):
                    del headers[name]
                headers.update(self.headers(host))
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except Exception:
            if not begun:
                await PlainTextResponse(BROKEN, 500)(scope, receive, send_with_headers)
            raise

    def headers(self, host: str) -> dict[str, str]:
        framed_by = HUB if self.in_space else "'none'"
        policy = {"Content-Security-Policy": content_policy(host, self.scripts, framed_by)}
        return ALWAYS | policy | ({} if self.in_space else {"X-Frame-Options": "DENY"})
