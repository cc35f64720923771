"""What a visitor may send over the socket: what concerns the own visit, and nothing else."""

from google.protobuf.message import DecodeError
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

from pages.parts.server.log import tell

# Streamlit's other kinds empty every visitor's caches, end the server, tell of its repository, or
# put files for programmers on its disk.
OWN_VISIT = {"rerun_script", "stop_script", "file_urls_request", "app_heartbeat"}
OWN_OPERATIONS = {"deferred_file", "dataframe_chunk"}


def refused_kind(frame: bytes) -> str | None:
    """The kind of a message that no visitor may send; None where it may go on.

    >>> refused_kind(BackMsg(clear_cache=True).SerializeToString())
    'clear_cache'
    >>> refused_kind(BackMsg(stop_script=True).SerializeToString())
    """
    message = BackMsg()
    try:
        message.ParseFromString(frame)
    except DecodeError:  # Streamlit closes the socket then
        return None
    kind, allowed = message.WhichOneof("type"), OWN_VISIT
    if kind == "backend_operation_request":
        kind, allowed = message.backend_operation_request.WhichOneof("payload"), OWN_OPERATIONS
    return kind if kind is not None and kind not in allowed else None


class OwnVisitOnly:
    """Drops every other message; the visit goes on."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            return await self.app(scope, receive, send)

        async def receive_allowed() -> Message:
            while True:
                message = await receive()
                kind = refused_kind(message.get("bytes") or b"")
                if kind is None:
                    return message
                tell("refused", why="message", kind=kind)

        await self.app(scope, receive_allowed, send)
