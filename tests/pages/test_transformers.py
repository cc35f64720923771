"""The view of transformers on the results page: with all runs, some, and none."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.results import transformers as transformers_view
from quantlib.training.comparison.plan import Result, _add, read_plan
from quantlib.training.super_resolution.recipe import Recipe
from quantlib.training.super_resolution.runcard import RunCard
from tests.pages.test_results import cells, fine, opened

BASE = {"rlq": 37.0, "lsq": 36.9, "minmax": 30, "percentile": 34, "dobi": 35}
BASE |= {"2dquant": 36.2, "noisyquant": 35.5}


@pytest.fixture
def file(tmp_path, monkeypatch) -> Path:
    path = tmp_path / "results.json"
    monkeypatch.setattr(transformers_view, "RESULTS", path)
    return path


def planned() -> list[Recipe]:
    return read_plan(transformers_view.PLAN).recipes()


def write(file: Path, recipes: list[Recipe]) -> None:
    for recipe in recipes:
        level = BASE[recipe.method] + 0.1 * recipe.weight_bits
        scores = {"set5": [level] * 5, "set14": [level - 4] * 14}
        _add(file, Result(recipe.name, RunCard.of(recipe, "none", 0.05), scores))


def view(**query: str) -> AppTest:
    return opened(view="Transformers", **query)


def test_a_column_says_what_was_quantized_after_training(file):
    write(file, planned())
    app = view()
    assert fine(app) and not app.info
    assert "Of 5 methods after training 2DQuant keeps most, 36.60 dB" in app.subheader[0].value
    rows = cells(app, 0)
    assert [row["quantized"] for row in rows[:5]] == ["after training"] * 5
    assert {row["quantized"] for row in rows[5:]} == {"in training"}
    assert {row["method"] for row in rows[5:]} >= {"RLQ", "LSQ", "QuantSR-T, bundled"}
    seeds = {row["method"]: row["seeds"] for row in rows}
    assert (seeds["2DQuant"], seeds["RLQ"], seeds["QuantSR-T, bundled"]) == ("1", "3", "1")


def test_other_bits_and_another_benchmark(file):
    write(file, planned())
    app = view(transformer_bits="W2A2", transformer_benchmark="Set14")
    assert fine(app)
    assert "36.40" not in app.subheader[0].value
    assert "32.40 dB" in app.subheader[0].value
    assert "on Set14" in app.subheader[0].value


def test_some_runs_and_none(file):
    app = view()
    assert fine(app)
    count = len(planned())
    assert f"{count} of the {count} runs" in app.info[0].value
    assert "`make transformers`" in app.info[0].value
    ready = [recipe for recipe in planned() if recipe.method == "rlq"]
    write(file, ready)
    app = view()
    assert fine(app)
    assert f"{count - len(ready)} of the {count} runs" in app.info[0].value


def test_the_file_as_it_is_shipped():
    assert fine(view())
