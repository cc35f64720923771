"""A visit over the socket, without a browser."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from streamlit.proto.BackMsg_pb2 import BackMsg

from tests.socket_visit import SECONDS, PageSocket, page_socket


class Visit:
    """`session` is known after the first run."""

    def __init__(self, socket: PageSocket) -> None:
        self.session = ""
        self._socket = socket
        self.send = socket.send

    def run(self) -> str:
        """The text on the little app's page after the next run of its script."""
        asking = BackMsg()
        asking.rerun_script.SetInParent()
        self.send(asking)
        shown, deadline = "", time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            received = self._socket.receive()
            match received.WhichOneof("type"):
                case "new_session":
                    self.session = received.new_session.initialize.session_id
                case "delta" if received.delta.new_element.WhichOneof("type") == "text":
                    shown = received.delta.new_element.text.body
                case "script_finished" if shown:
                    return shown
        raise TimeoutError


@contextmanager
def visiting(url: str, cookie: str = "") -> Iterator[Visit]:
    with page_socket(url, cookie) as socket:
        yield Visit(socket)
