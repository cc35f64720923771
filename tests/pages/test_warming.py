"""What is measured when the server starts is what the first visitor asks for."""

import threading
import time
from pathlib import Path

import pytest
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from pages.parts.shared import outliving
from pages.parts.super_resolution import measuring
from pages.parts.workbench import warming
from pages.parts.workbench.warming import measure_first_screen
from tests import own_loop

APP = Path(__file__).parents[2] / "app.py"


def test_pages_wait_until_the_server_has_imported(monkeypatch, tmp_path):
    monkeypatch.setattr(outliving, "_store", None)  # afterwards again: nothing is kept in tests
    monkeypatch.setenv("BITLENS_CACHE", str(tmp_path))
    order = []

    def slow_import() -> None:
        time.sleep(0.3)
        order.append("imported")

    monkeypatch.setattr(warming, "import_pages", slow_import)
    measured = threading.Event()
    monkeypatch.setattr(PagesManager, "uses_pages_directory", None)
    monkeypatch.setattr(warming, "measure_first_screen", measured.set)

    async def start() -> None:
        async with warming.warmed(None):  # type: ignore[arg-type]
            warming.wait_for_imports()
            order.append("page")

    own_loop.run(start())
    assert PagesManager.uses_pages_directory is False  # what is opened first has the router, too
    assert order == ["imported", "page"]
    assert measured.wait(60)
    warming.wait_for_imports()


def test_the_first_screen_measures_nothing_that_the_server_has_not(monkeypatch):
    measure_first_screen()

    def measure(*_):
        pytest.fail("measured again")

    monkeypatch.setattr(measuring, "measure", measure)
    page = AppTest.from_file(APP, default_timeout=120).run()
    assert not page.exception
    assert "2-bit DQA keeps" in page.subheader[0].value
