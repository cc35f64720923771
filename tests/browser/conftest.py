"""The app and a Chromium for the tests in this folder, which all carry the marker `browser`."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, ViewportSize

from tests.browser.chromium import launch
from tests.browser.server import ROOT, Server, serve

HERE = Path(__file__).parent
collect_ignore = ["apps", "bench_app.py", "quick_app.py", "shots.py"]

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

    A script is started once, by Streamlit or by another module that ends there; all servers end
    with the run.
    """
    with ExitStack() as stack:

        def start(script: str, streamlit: str = "streamlit") -> str:
            if script not in _servers:
                _servers[script] = stack.enter_context(serve(ROOT / script, streamlit))
            return _servers[script].url

        yield start
        _servers.clear()


@pytest.fixture(scope="session")
def app_url(start_server) -> str:
    return start_server("app.py", "tests.browser.quick_app")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with launch() as browser:
        yield browser


@pytest.fixture(scope="session")
def tab(browser: Browser) -> Iterator[Page]:
    """One tab for all tests: it has the app's scripts compiled."""
    with browser.new_context(reduced_motion="reduce") as context:
        yield context.new_page()


@pytest.fixture
def page(tab: Page) -> Iterator[Page]:
    """The tab as a new visitor has it: light, 1280 pixels wide, nothing kept."""
    tab.set_viewport_size(ViewportSize(width=1280, height=900))
    tab.emulate_media(color_scheme="light")
    yield tab
    if tab.url.startswith("http"):
        tab.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
    tab.goto("about:blank")
    tab.context.clear_cookies()


@pytest.fixture
def phone(page: Page) -> Page:
    """The tab as wide as a phone."""
    page.set_viewport_size(ViewportSize(width=390, height=844))
    return page


@pytest.fixture
def console_errors(page: Page) -> Iterator[list[str]]:
    """The errors that `page` has written to its console, in a list that grows."""
    errors: list[str] = []

    def note(line: ConsoleMessage) -> None:
        if line.type == "error":
            errors.append(line.text)

    def note_uncaught(error: Error) -> None:
        errors.append(str(error))

    page.on("console", note)
    page.on("pageerror", note_uncaught)
    yield errors
    page.remove_listener("console", note)
    page.remove_listener("pageerror", note_uncaught)
