"""A visitor without a browser: the messages that a browser sends and gets."""

import hashlib
import re
import time
from dataclasses import dataclass

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.socket_visit import PageSocket, page_socket

PICTURE = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=]+)")
TIMES = re.compile(r"\d[\d.]* (s|ms)\b")


@dataclass(frozen=True)
class Address:
    """A page and its query, such as `workbench` and `picture=Cat&bits=2`."""

    page: str
    query: str = ""


@dataclass(frozen=True)
class Visit:
    """What one visit showed: seconds to the first result and to the end, and the result itself.

    `sentences` are the headings and `pictures` the digests of the crops, in their order; `errors`
    what the page said went wrong.
    """

    first: float
    complete: float
    sentences: tuple[str, ...]
    pictures: tuple[str, ...]
    errors: tuple[str, ...]

    @property
    def result(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return self.sentences, self.pictures


def visit(server: str, address: Address, seconds: float = 300) -> Visit:
    """Opens `address` on the server `http://host:port` and stays until its script has ended."""
    started = time.perf_counter()
    with page_socket(server) as socket:
        _ask(socket, address)
        return _follow(socket, started, seconds)


def leave_early(server: str, address: Address, seconds: float) -> None:
    """Opens `address` and goes after so many seconds, whatever is there by then."""
    with page_socket(server) as socket:
        _ask(socket, address)
        time.sleep(seconds)


def _ask(socket: PageSocket, address: Address) -> None:
    message = BackMsg()
    message.rerun_script.query_string = address.query
    message.rerun_script.page_name = address.page
    socket.send(message)


def _follow(socket: PageSocket, started: float, seconds: float) -> Visit:
    shown: dict[tuple[int, ...], Delta] = {}
    first = None
    while True:
        left = started + seconds - time.perf_counter()
        message = socket.receive(max(left, 0))
        now = time.perf_counter() - started
        match message.WhichOneof("type"):
            case "delta":
                shown[tuple(message.metadata.delta_path)] = message.delta
                if first is None and _is_result(message.delta):
                    first = now
            case "script_finished":
                if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                    return _told([shown[path] for path in sorted(shown)], first or now, now)


def _is_result(delta: Delta) -> bool:
    return delta.new_element.heading.tag == "h3"


def _told(shown: list[Delta], first: float, complete: float) -> Visit:
    elements = [delta.new_element for delta in shown]
    sentences = [TIMES.sub("… s", e.heading.body) for e in elements if e.heading.tag == "h3"]
    pictures = [
        hashlib.sha256(found.encode()).hexdigest()[:12]
        for element in elements
        for found in PICTURE.findall(element.html.body)
    ]
    errors = [
        e.alert.body for e in elements if e.WhichOneof("type") == "alert" and e.alert.format == 1
    ]
    errors += [e.exception.message for e in elements if e.WhichOneof("type") == "exception"]
    return Visit(first, complete, tuple(sentences), tuple(pictures), tuple(errors))
