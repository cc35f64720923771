"""What the server writes down: lines that a program reads, and nothing of who asked."""

import json

from tests.load.visitor import Address, visit
from tests.server.asking import ask
from tests.server.outward import MARK


def test_a_refusal_is_a_line_without_name_or_address(app):
    assert ask(app.url, "/secret-path", Host="secret-name.example").status == 400
    log = app.log.read_text("utf-8", errors="replace")
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert {"event": "refused", "why": "host"}.items() <= lines[-1].items()
    assert set(lines[-1]) == {"time", "level", "event", "why"}
    assert "secret-" not in log


def test_nothing_of_a_visit_is_written_down(app):
    """Neither what was typed, nor where it was asked from, nor the name of a file."""
    before = len(app.log.read_text("utf-8", errors="replace"))
    for query in ("network=secret-name", "network=hub:secret-owner/secret-name"):
        (error,) = visit(app.url, Address("importance", query)).errors
        assert "secret" in error
    name = 'Content-Disposition: form-data; name="file"; filename="secret-picture.png"'
    ask(app.url, "/_stcore/upload_file/me/1", method="PUT", body=name.encode())
    said = app.log.read_text("utf-8", errors="replace")[before:]
    own = [line for line in said.splitlines() if MARK not in line]
    assert not [line for line in own if "secret" in line or "127.0.0.1" in line]
