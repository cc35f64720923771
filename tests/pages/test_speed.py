"""The speed page: nothing starts by itself, and what is measured is told whole."""

import csv
import io
from types import SimpleNamespace
from typing import Any

import pytest

from pages.parts.speed import choosing, measuring
from quantlib.tasks.ways import ways
from tests.pages.said import captions
from tests.pages.test_pages import fine, opened


@pytest.fixture(autouse=True)
def few_forms(monkeypatch):
    monkeypatch.setattr(choosing, "SIDES", (24, 32))
    monkeypatch.setattr(choosing, "ROUNDS", (2, 3))
    monkeypatch.setattr(measuring, "ways", lambda *networks: ways(*networks)[1::3])


def measured(**query: str):
    app = opened("speed", picture="Cat", **query)
    assert fine(app) and not app.table
    return app.button(key="measure").click().run()


def test_forms_are_measured():
    app = measured()
    assert fine(app)
    rows = app.table[0].value
    engines = [engine.replace("\N{NO-BREAK SPACE}", " ") for engine in rows["engine"]]
    assert engines == ["ONNX Runtime", *["PyTorch"] * 3]
    assert "as fast as FP32 in ONNX Runtime" in app.subheader[0].value
    said = " ".join(captions(app))
    assert "Machine: " in said and "2 bits buy bytes and no time" in said


def test_a_network_with_few_bits_is_refused_in_a_sentence():
    app = opened("speed", network="builtin:quantsr-c-x2-w4a4")
    assert not app.exception
    assert "has few bits already; choose the network in full precision" in app.error[0].value


def test_the_file_holds_what_the_page_shows():
    from pages.parts.speed import table
    from quantlib.tasks.ways import Cost

    network = SimpleNamespace(name="n")
    race: Any = SimpleNamespace(network=network, learned=None, side=8, rounds=2)
    shares = {"a": 0.25, "b": 0.75}
    costs = [
        Cost("FP32", "PyTorch", (0.5, 0.7, 0.6), 10, 20, 30.5, shares),
        Cost("RLQ", "ONNX Runtime", why_not="no form"),
    ]
    rows = list(csv.DictReader(io.StringIO(table.as_csv(race, costs))))
    assert float(rows[0]["median_seconds"]) == 0.6
    assert float(rows[0]["spread_seconds"]) == pytest.approx(0.1)
    assert (rows[0]["held_bytes"], rows[0]["file_bytes"], rows[0]["b"]) == ("10", "20", "0.75")
    assert (rows[1]["median_seconds"], rows[1]["why_not"]) == ("", "no form")
