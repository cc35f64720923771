"""The address that says whether the server still computes."""

import asyncio
import json
import threading
import time

import pytest

from pages.parts.server import health as module
from pages.parts.server.health import PATH, health
from pages.parts.shared import worker
from tests import own_loop
from tests.server.asking import Answer, ask, ask_app, asked


def test_a_server_that_has_started_computes(app):
    deadline = time.monotonic() + 120
    while (answer := ask(app.url, PATH)).status != 200 and time.monotonic() < deadline:
        assert json.loads(answer.text)["status"] == "starting"
        time.sleep(0.2)
    assert answer.status == 200
    assert json.loads(answer.text)["status"] in ("ok", "busy")
    assert answer.headers["cache-control"] == "no-store"


def status(answer: Answer) -> tuple[int, str]:
    return answer.status, json.loads(answer.text)["status"]


@pytest.fixture
def blocked(monkeypatch):
    """All workers wait until the event is set."""
    go_on = threading.Event()
    monkeypatch.setattr(worker, "_short", worker.Workers(1, "blocked"))
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.05)
    stuck = worker.begun(lambda: go_on.wait(30))
    yield go_on
    go_on.set()
    stuck.result()


def test_it_is_starting_while_pages_are_imported():
    assert status(asked(health(lambda: True).app, PATH)) == (503, "starting")


def test_work_that_goes_on_is_no_fault(blocked):
    assert status(asked(health(lambda: False).app, PATH)) == (200, "busy")


def test_a_server_that_has_stopped_computing_says_so_and_recovers(blocked, monkeypatch):
    route = health(lambda: False)

    async def story() -> list[tuple[int, str]]:
        told = [status(await ask_app(route.app, PATH))]
        monkeypatch.setattr(module, "STALLED_SECONDS", 0.0)
        told.append(status(await ask_app(route.app, PATH)))
        blocked.set()
        monkeypatch.setattr(module, "PATIENCE_SECONDS", 20.0)
        return [*told, status(await ask_app(route.app, PATH))]

    assert own_loop.run(story()) == [(200, "busy"), (503, "stalled"), (200, "ok")]


def test_one_sum_is_on_its_way_however_many_ask(blocked, monkeypatch):
    sent = []
    begun = worker.begun
    monkeypatch.setattr(worker, "begun", lambda *work: sent.append(work) or begun(*work))
    route = health(lambda: False)

    async def crowd() -> None:
        await asyncio.gather(*(ask_app(route.app, PATH) for _ in range(20)))

    own_loop.run(crowd())
    assert len(sent) == 1


def test_what_computes_wrongly_or_fails_says_so(monkeypatch):
    monkeypatch.setattr(module, "_sum", lambda: 1.0)
    assert status(asked(health(lambda: False).app, PATH)) == (503, "wrong")
    monkeypatch.setattr(module, "_sum", lambda: 1 / 0)
    assert status(asked(health(lambda: False).app, PATH)) == (503, "wrong")
