"""What the server writes down: lines that a program reads, and nothing of who asked."""

import json

from tests.server.asking import ask


def test_a_refusal_is_a_line_without_name_or_address(app):
    assert ask(app.url, "/secret-path", Host="secret-name.example").status == 400
    log = app.log.read_text("utf-8", errors="replace")
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert {"event": "refused", "why": "host"}.items() <= lines[-1].items()
    assert set(lines[-1]) == {"time", "level", "event", "why"}
    assert "secret-" not in log
