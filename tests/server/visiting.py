"""A visit over the socket, without a browser."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

SECONDS = 30


class Visit:
    """`session` is known after the first run."""

    def __init__(self, connection: ClientConnection) -> None:
        self.session = ""
        self._connection = connection

    def send(self, message: BackMsg) -> None:
        self._connection.send(message.SerializeToString())

    def run(self) -> str:
        """The text on the little app's page after the next run of its script."""
        asking = BackMsg()
        asking.rerun_script.SetInParent()
        self.send(asking)
        shown, deadline = "", time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            received = self._receive()
            match received.WhichOneof("type"):
                case "new_session":
                    self.session = received.new_session.initialize.session_id
                case "delta" if received.delta.new_element.WhichOneof("type") == "text":
                    shown = received.delta.new_element.text.body
                case "script_finished" if shown:
                    return shown
        raise TimeoutError

    def _receive(self) -> ForwardMsg:
        frame = self._connection.recv(timeout=SECONDS)
        assert isinstance(frame, bytes)
        return ForwardMsg.FromString(frame)


@contextmanager
def visiting(url: str) -> Iterator[Visit]:
    address = f"ws://{urlsplit(url).netloc}/_stcore/stream"
    with connect(address, open_timeout=SECONDS, max_size=None, proxy=None) as connection:
        yield Visit(connection)
