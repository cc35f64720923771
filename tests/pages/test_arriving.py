"""What comes from the Hub: shared, stopped, failing, and never in the way of what computes."""

import io
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from streamlit.testing.v1 import AppTest

from pages.parts.shared import arriving, background, worker
from pages.parts.shared.arriving import Arriving, Tell
from pages.parts.shared.background import StoppedError, Visit
from pages.parts.super_resolution.networks import DEFAULT
from quantlib.models.architectures.pan import PAN
from tests import hub_faults
from tests.hub_server import HubServer, use_hub
from tests.pages.test_pages import fine, opened

NAME = "hub:eugenesiow/pan:pytorch_model_2x.pt"  # AppTest knows no names but those of the list
SECONDS = 30


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    torch.manual_seed(0)
    with HubServer() as server:
        use_hub(monkeypatch, server.url, tmp_path)
        file = io.BytesIO()
        torch.save(PAN(2, 8, 4, 2).state_dict(), file)
        server.add("eugenesiow/pan", {"pytorch_model_2x.pt": file.getvalue()})
        yield server
        for run in arriving._runs().values():
            run.stop()
            run.wait(SECONDS)
        arriving._runs().clear()


def buttons(app: AppTest) -> list[str]:
    return [one.label for one in app.button]


def press(app: AppTest, label: str) -> AppTest:
    (button,) = (one for one in app.button if one.label == label)
    return button.click().run()


def until(true: Callable[[], object]) -> bool:
    end = time.monotonic() + SECONDS
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    return bool(true())


def test_a_network_of_the_hub_arrives(server):
    app = opened("workbench", network=NAME, picture="Cat", method="Direct")
    assert fine(app)
    assert "dB" in app.subheader[0].value and app.selectbox(key="network").value == NAME
    asked = len(server.requests)
    app.slider(key="bits").set_value(5).run()
    assert fine(app) and len(server.requests) == asked


def test_a_download_that_fails_leads_on_to_the_bundled_network(server):
    server.busy = 500
    app = opened("workbench", network=NAME, picture="Cat", method="Direct")
    assert not app.exception and "status 500" in app.error[0].value
    asked = len(server.requests)
    app.slider(key="bits").set_value(5).run()
    assert "status 500" in app.error[0].value and len(server.requests) == asked
    press(app, "Try again")
    assert "status 500" in app.error[0].value and len(server.requests) > asked
    press(app, "Go on with the bundled network")
    assert fine(app) and app.subheader[0].value.startswith("5-bit direct keeps ")
    assert app.selectbox(key="network").value == DEFAULT
    server.busy = None
    app.selectbox(key="network").set_value(NAME).run()
    assert "status 500" in app.error[0].value  # and nothing is asked before the visitor says so
    press(app, "Try again")
    assert fine(app) and app.subheader[0].value.startswith("5-bit direct keeps ")


def test_whoever_comes_after_a_failure_begins_anew(server):
    server.busy = 500
    app = opened("workbench", network=NAME, picture="Cat", method="Direct")
    assert "status 500" in app.error[0].value
    server.busy = None
    assert fine(opened("workbench", network=NAME, picture="Cat", method="Direct"))


def test_a_download_that_is_stopped_leads_on_to_the_bundled_network(server, monkeypatch):
    monkeypatch.setattr(arriving, "PATIENCE", 0.1)
    slow = server.send = hub_faults.Slow()
    app = opened("workbench", network=NAME, picture="Cat", method="Direct", bits="3")
    assert fine(app) and not app.subheader and "Stop" in buttons(app)
    assert until(lambda: slow.sending)
    app.run()
    assert fine(app) and "Stop" in buttons(app)  # still the same download
    press(app, "Stop")
    assert until(lambda: not slow.sending)
    app.run()
    assert not app.exception
    assert "was stopped; go on with what is bundled" in app.error[0].value
    press(app, "Go on with the bundled network")
    assert fine(app) and app.subheader[0].value.startswith("3-bit direct keeps ")


def test_computing_goes_on_while_slow_downloads_hang(server, monkeypatch):
    monkeypatch.setattr(arriving, "PATIENCE", 0.1)
    slow = server.send = hub_faults.Slow()
    for number in range(arriving.MOST_AT_ONCE + 2):
        server.add(f"acme/slow{number}", {"net.safetensors": b"0" * 1000})
        app = opened("workbench", network=f"hub:acme/slow{number}", picture="Cat")
        assert "Stop" in buttons(app)
    assert until(lambda: slow.sending)
    assert worker.begun(lambda: 42).result(timeout=SECONDS) == 42
    assert fine(opened("workbench", picture="Cat", method="Direct"))
    assert 0 < slow.sending <= arriving.MOST_AT_ONCE


def test_the_pictures_of_the_hub_lead_on_to_the_digits(server):
    server.add("uoft-cs/cifar10", {})
    server.busy = 429
    app = opened("classify", data="CIFAR-10 from the Hub")
    assert not app.exception and "try again in 7 seconds" in app.error[0].value
    press(app, "Go on with the digits")
    assert fine(app) and app.selectbox(key="data").value == "digits"


def test_a_classifier_that_does_not_come_leads_on_to_a_bundled_one(server):
    server.add("acme/net", {})
    server.busy = 500
    app = opened("classify", classification_network="hub:acme/net")
    assert not app.exception and "status 500" in app.error[0].value
    assert "Go on with the bundled network" in buttons(app)


# Who waits


class Slowly:
    """Something that arrives when it is told to."""

    def __init__(self) -> None:
        self.go_on, self.begun = threading.Event(), 0

    def __call__(self, tell: Tell) -> str:
        self.begun += 1
        while not self.go_on.wait(0.01):
            tell(0.5, "half of it")
        return "here"


@pytest.fixture
def visitors(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Visit]]:
    monkeypatch.setattr(background, "GRACE", 0.05)
    yield [Visit(), Visit()]


def ended(run: Arriving) -> bool:
    run.wait(SECONDS)
    return not run.running


def test_one_who_leaves_ends_it_unless_another_waits(visitors):
    run = Arriving("A network", Slowly()).begin(visitors[0])
    run.follow(visitors[1])
    visitors[0].end()
    run.wait(0.3)
    assert run.running and not run.failed
    assert until(lambda: run.progress.text == "A network from the Hugging Face Hub: half of it")
    visitors[1].end()
    assert ended(run) and run.failed and run.error is None


def test_one_who_stops_ends_it_at_once_unless_another_waits(visitors, monkeypatch):
    monkeypatch.setattr(background, "GRACE", 1000)
    run = Arriving("A network", Slowly()).begin(visitors[0])
    run.follow(visitors[1])
    run.stop_for(visitors[0])
    assert run.running and not run.stopping
    run.stop_for(visitors[1])
    assert ended(run) and run.failed


def test_one_who_comes_back_finds_it_going_on(visitors):
    bring = Slowly()
    run = Arriving("A network", bring).begin(visitors[0])
    run.leave(visitors[0])
    run.follow(visitors[0])
    run.wait(0.3)
    assert run.running
    bring.go_on.set()
    assert ended(run) and run.result == "here" and not run.failed


def test_at_most_some_come_at_once(visitors):
    runs = []
    for _ in range(arriving.MOST_AT_ONCE + 1):
        runs.append(Arriving("A network", Slowly()).begin(visitors[0]))
    brought: list[Any] = [run._bring for run in runs]
    assert until(lambda: sum(one.begun for one in brought) == arriving.MOST_AT_ONCE)
    (waiting,) = (run for run, one in zip(runs, brought, strict=True) if not one.begun)
    assert waiting.progress.text.endswith("waiting for other downloads")
    next(one for one in brought if one.begun).go_on.set()
    assert until(lambda: all(one.begun for one in brought))
    for run in runs:
        run.stop()
    assert all(map(ended, runs))


def test_what_nobody_waits_for_raises_inside(visitors):
    raised: list[BaseException] = []

    def bring(tell: Tell) -> None:
        try:
            while True:
                tell(0.0, "")
        except BaseException as error:
            raised.append(error)
            raise

    run = Arriving("A network", bring).begin(visitors[0])
    run.stop_for(visitors[0])
    assert (ended(run) and not raised) or isinstance(raised[0], StoppedError)
