"""The real app in a process of its own, one for all tests in this folder."""

from collections.abc import Iterator

import pytest

from tests.browser.server import ROOT, Server, serve
from tests.server.visiting import Visit, visiting

collect_ignore = ["little_app.py", "watched_app.py"]
TOKEN = "a token of the tests"


@pytest.fixture(scope="session")
def app() -> Iterator[Server]:
    """It listens where the app's settings say, and its log has every address that it asks for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BITLENS_METRICS_TOKEN", TOKEN)
        patch.setenv("BITLENS_HOSTS", "demo.example.org, *.class.example.org")
        with serve(ROOT / "app.py", "tests.server.watched_app", address=None) as server:
            yield server


@pytest.fixture(scope="session")
def little_app() -> Iterator[Server]:
    with serve(ROOT / "tests/server/little_app.py") as server:
        yield server


@pytest.fixture
def visit(little_app: Server) -> Iterator[Visit]:
    with visiting(little_app.url) as visit:
        yield visit
