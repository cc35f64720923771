"""Which names the server answers to, and whose pages may open a socket."""

import os
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from pages.parts.server.hosts import UNKNOWN, known_names
from tests.browser.server import ROOT
from tests.load.visitor import Address, visit
from tests.server.asking import ask
from tests.server.outward import hosts, peers

OPEN = "/_stcore/stream"
LOOPBACK = {"127.0.0.1"}


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LocalHost:9", "localhost.", "127.0.0.1:80", "[::1]:8501", "192.0.2.7"),
        *("app.localhost", "demo.example.org", "Demo.Example.Org:443", "a.class.example.org"),
        socket.gethostname(),
    ],
)
def test_it_answers_to_numbers_and_to_the_names_it_was_given(app, host):
    assert ask(app.url, "/_stcore/health", Host=host).status == 200


@pytest.mark.parametrize(
    "host",
    [
        *("elsewhere.example", "localhost.elsewhere.example", "class.example.org", "127.0.0.1.x.y"),
        *("a@localhost", "localhost:port", "localhost/x", "localhost:80:80", "", "xlocalhost"),
        *("demo.example.org.elsewhere.example", "*", "*.class.example.org@elsewhere.example"),
    ],
)
def test_any_other_name_is_one_sentence(app, host):
    for path in ("/", "/health", "/_stcore/health", "/media/x.png"):
        answer = ask(app.url, path, Host=host)
        assert answer.status == 400
        if host:
            assert answer.text.strip() == UNKNOWN


def socket_status(url: str, origin: str | None, **headers: str) -> int:
    """The status of the handshake, 101 where the socket is open."""
    try:
        with connect(
            f"ws://{urlsplit(url).netloc}{OPEN}",
            origin=None if origin is None else Origin(origin),
            additional_headers=headers,
            open_timeout=30,
            proxy=None,
        ):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


def test_own_pages_open_a_socket(app):
    assert socket_status(app.url, app.url) == 101
    assert socket_status(app.url, None) == 101  # no browser


@pytest.mark.parametrize(
    "origin",
    ["https://elsewhere.example", "http://localhost:3000", "http://127.0.0.1:1", "null", "file://"],
)
def test_pages_of_others_open_none_and_nothing_is_looked_up(app, origin):
    assert socket_status(app.url, origin) == 403
    assert outward(app) <= LOOPBACK


def outward(app) -> set[str]:
    """Every host that the server has looked up or connected to since its start."""
    return hosts(app.log.read_text("utf-8", errors="replace"))


def test_from_start_to_use_it_asks_nobody_but_the_hub(app):
    """The Hub of this server is a port of this machine."""
    assert ask(app.url).status == 200
    assert outward(app) <= LOOPBACK
    first = visit(app.url, Address(""))
    assert first.sentences and not first.errors
    assert outward(app) <= LOOPBACK
    (error,) = visit(app.url, Address("importance", "network=hub:acme/nothing")).errors
    assert "Hub" in error
    assert outward(app) == LOOPBACK, "it asked the Hub, and nobody else"
    assert peers(app.pid) <= LOOPBACK | {"0.0.0.0", "::"}, "of sockets that wait"


def test_open_sockets_are_seen_whoever_opened_them():
    """On an address of the loopback that nothing else here uses."""
    here = "127.83.17.4"
    with socket.create_server((here, 0)) as waiting:
        assert here not in peers(os.getpid())
        with socket.create_connection(waiting.getsockname()):
            assert here in peers(os.getpid())


ASKING = """
import sys
from streamlit import net_util
from tests.server.outward import watch
sys.addaudithook(watch)
net_util.get_internal_ip()
"""


def test_the_watch_sees_what_streamlit_asks_without_its_setting():
    done = subprocess.run([sys.executable, "-c", ASKING], cwd=ROOT, capture_output=True, text=True)
    assert hosts(done.stderr) == {"8.8.8.8"}


def test_names_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("BITLENS_HOSTS", "One.example,two.example  three.example.")
    monkeypatch.setenv("SPACE_HOST", "me-bitlens.hf.space")
    expected = {"one.example", "two.example", "three.example", "me-bitlens.hf.space", "localhost"}
    assert expected <= known_names() and "" not in known_names()
