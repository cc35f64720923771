"""Work beside the page: it ends by itself, when it is stopped, and when it is left."""

import threading

import pytest
from streamlit.runtime.caching import clear_session_resource_cache
from streamlit.testing.v1 import AppTest

from pages.parts.shared import background
from pages.parts.shared.background import Background, Progress, StoppedError, Visit
from tests.pages.test_pages import ROOT

SECONDS = 120
SESSION = "test session id"  # that of every AppTest


class Waiting(Background):
    """Waits until it is stopped, or until `go_on`."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self.go_on = threading.Event()
        self._error = error

    @property
    def progress(self) -> Progress:
        return Progress(0.5, "Waiting")

    def work(self) -> None:
        while not self.stopping and not self.go_on.wait(0.01):
            pass
        if self._error:
            raise self._error


@pytest.fixture
def visit(monkeypatch: pytest.MonkeyPatch) -> Visit:
    monkeypatch.setattr(background, "GRACE", 0.05)
    return Visit()


def ended(run: Background) -> bool:
    run.wait(SECONDS)
    return not run.running


def test_it_ends_by_itself(visit):
    run = Waiting().begin(visit)
    assert run.running and not run.stopping
    run.go_on.set()
    assert ended(run) and not run.stopping and run.error is None


def test_it_ends_when_it_is_stopped(visit):
    run = Waiting().begin(visit)
    run.stop()
    assert run.stopping and ended(run) and run.error is None


@pytest.mark.parametrize("error", [ValueError("lost"), StoppedError()], ids=["error", "stopped"])
def test_an_error_is_kept_and_a_stop_is_none(error, visit):
    run = Waiting(error).begin(visit)
    run.stop()
    assert ended(run)
    assert run.error is (error if isinstance(error, ValueError) else None)


def test_it_ends_when_its_only_visitor_leaves(visit):
    run = Waiting().begin(visit)
    visit.end()
    assert ended(run) and run.stopping


def test_it_goes_on_while_somebody_follows_it(visit):
    run, other = Waiting().begin(visit), Visit()
    run.follow(other)
    visit.end()
    run.wait(0.3)
    assert run.running and not run.stopping
    other.end()
    assert ended(run)


def test_it_goes_on_when_its_visitor_comes_back(visit):
    run = Waiting().begin(visit)
    visit.end()
    run.follow(Visit())
    run.wait(0.3)
    assert run.running and not run.stopping
    run.stop()


def test_leaving_does_not_touch_what_has_ended(visit):
    run = Waiting().begin(visit)
    run.go_on.set()
    assert ended(run)
    visit.end()
    run.wait(0.3)
    assert not run.stopping


def test_a_training_ends_when_its_visitor_closes_the_window(monkeypatch):
    monkeypatch.setattr(background, "GRACE", 0.05)
    app = AppTest.from_file(str(ROOT / "pages" / "rlq.py"), default_timeout=120)
    app.query_params["steps"] = "300"
    app.run().button(key="train").click().run()
    run = app.session_state["live run"]
    assert run.running
    clear_session_resource_cache(SESSION)  # what Streamlit does when a visitor leaves
    assert ended(run) and run.stopping and not run.complete
