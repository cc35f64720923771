"""Streamlit's figures on visits and caches are for whoever runs the server."""

import hmac
import os

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from pages.parts.server.refusing import refuse

VARIABLE = "BITLENS_METRICS_TOKEN"
PATH = "/_stcore/metrics"
CLOSED = "There is nothing here."


class ClosedMetrics:
    """Answers 404 there, unless the request bears the token that the environment gives."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.token = app, os.environ.get(VARIABLE, "")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and PATH in scope["path"] and not self.is_open(scope):
            return await refuse(scope, receive, send, 404, "metrics", CLOSED)
        await self.app(scope, receive, send)

    def is_open(self, scope: Scope) -> bool:
        given = Headers(scope=scope).get("authorization", "")
        return bool(self.token) and hmac.compare_digest(
            given.encode(), f"Bearer {self.token}".encode()
        )
