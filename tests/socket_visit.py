"""The socket between a page and Streamlit, without a browser."""

from collections.abc import Iterator
from contextlib import contextmanager

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

SECONDS = 30


class PageSocket:
    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    def send(self, message: BackMsg) -> None:
        self._connection.send(message.SerializeToString())

    def receive(self, seconds: float = SECONDS) -> ForwardMsg:
        """The next message; TimeoutError where none comes."""
        return ForwardMsg.FromString(self._connection.recv(timeout=seconds, decode=False))


@contextmanager
def page_socket(server: str, cookie: str = "") -> Iterator[PageSocket]:
    """Opens it as a page of the server `http://host:port` does, with its `cookie` if it has one."""
    with connect(
        server.replace("http", "ws", 1) + "/_stcore/stream",
        origin=Origin(server),
        subprotocols=[Subprotocol("streamlit")],
        additional_headers={"Cookie": cookie} if cookie else None,
        open_timeout=SECONDS,
        max_size=None,
        proxy=None,
    ) as connection:
        yield PageSocket(connection)
