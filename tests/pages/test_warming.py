"""What is measured when the server starts is what the first visitor asks for."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.super_resolution import measuring
from pages.parts.workbench.warming import measure_first_screen

APP = Path(__file__).parents[2] / "app.py"


def test_the_first_screen_measures_nothing_that_the_server_has_not(monkeypatch):
    measure_first_screen()

    def measure(*_):
        pytest.fail("measured again")

    monkeypatch.setattr(measuring, "measure", measure)
    page = AppTest.from_file(APP, default_timeout=120).run()
    assert not page.exception
    assert "2-bit DQA keeps" in page.subheader[0].value
