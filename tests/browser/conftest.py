"""The app and a Chromium for the tests in this folder, which all carry the marker `browser`."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.chromium import launch
from tests.browser.server import ROOT, Server, serve

HERE = Path(__file__).parent
collect_ignore = ["apps", "bench_app.py", "shots.py"]

_servers: dict[str, Server] = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    report = yield
    if report.failed and HERE in item.path.parents:
        for name, server in _servers.items():
            report.sections.append((f"log of {name}", server.log_tail()))
    return report


@pytest.fixture(scope="session")
def start_server() -> Iterator:
    """start_server("app.py") serves a script, given from the repository root, and answers its URL.

    A script is started once; all servers end with the run.
    """
    with ExitStack() as stack:

        def start(script: str) -> str:
            if script not in _servers:
                _servers[script] = stack.enter_context(serve(ROOT / script))
            return _servers[script].url

        yield start
        _servers.clear()


@pytest.fixture(scope="session")
def app_url(start_server) -> str:
    return start_server("app.py")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with launch() as browser:
        yield browser


@pytest.fixture
def new_page(browser: Browser) -> Iterator:
    """new_page(width=390, height=844, color_scheme="dark", ...) opens a page with its own cookies.

    Keywords other than width and height go to Playwright's `browser.new_context`.
    """
    with ExitStack() as stack:

        def open_page(width: int = 1280, height: int = 900, **options) -> Page:
            size = ViewportSize(width=width, height=height)
            context = stack.enter_context(browser.new_context(viewport=size, **options))
            return context.new_page()

        yield open_page


@pytest.fixture
def page(new_page) -> Page:
    return new_page()


@pytest.fixture
def console_errors(page: Page) -> list[str]:
    """The errors that `page` has written to its console, in a list that grows."""
    errors: list[str] = []
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    return errors
