"""How the server says no: one sentence, and a line in its log."""

from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

from pages.parts.server.log import tell

POLICY_VIOLATION = 1008  # RFC 6455


async def refuse(
    scope: Scope, receive: Receive, send: Send, status: int, why: str, sentence: str
) -> None:
    """Answers a request with `status`, closes a socket before it is open; `why` is one word."""
    tell("refused", why=why)
    if scope["type"] == "websocket":
        await WebSocketClose(POLICY_VIOLATION, sentence)(scope, receive, send)
    else:
        await PlainTextResponse(f"{sentence}\n", status)(scope, receive, send)
