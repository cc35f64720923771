"""The ablation on the results page: with points, with none, and what it says of them."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.figures import ablation as ablation_view
from pages.parts.figures.ablation import as_csv, verdict, what_is_missing
from quantlib.ablation.plan import read_plan
from quantlib.ablation.summary import Row, Summary

PAGE = Path(__file__).parents[2] / "pages" / "results.py"
AGAINST = {"direct": 1.5, "direct, unsigned": -2.0, "direct, unsigned, MSE clip": None}
ROW = Row("ResNet-8 on digits", "fisher", 3, 3, 0.4, 0, 97.4, None, 1, 3.83, 100, 0.2, AGAINST)


def page() -> AppTest:
    test = AppTest.from_file(str(PAGE), default_timeout=120)
    test.query_params["view"] = "Ablation of DQA"
    return test.run()


def test_what_was_measured_is_shown():
    test = page()
    assert not test.exception and not test.error
    assert any("ranked by Fisher" in m.value for m in test.markdown)
    assert test.table and "measured here" in " ".join(test.table[0].value.columns)


def test_other_networks_and_sweeps_can_be_chosen():
    test = page()
    summary = Summary.read(ablation_view.RESULTS)
    for bench in summary.benches:
        test.selectbox(key="bench").set_value(bench).run()
        assert not test.exception and not test.error


def test_without_results_the_page_says_how_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setattr(ablation_view, "RESULTS", tmp_path / "none.json")
    test = page()
    assert not test.exception
    assert any("make ablation" in i.value for i in test.info)


def test_damaged_results_are_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "ablation.json").write_text("{")
    monkeypatch.setattr(ablation_view, "RESULTS", tmp_path / "ablation.json")
    test = page()
    assert not test.exception
    assert any("holds no summary of an ablation" in e.value for e in test.error)


def test_losing_and_gaining_are_said_plainly():
    said = verdict([ROW], "% top-1")
    assert "gains on direct by 1.50, loses to direct (unsigned) by 2.00" in said
    assert "MSE" not in said
    assert said.endswith("Of the criteria fisher keeps most, 97.40.")
    others = [replace(ROW, method="gain", quality=98.0), replace(ROW, method="entropy", quality=99)]
    assert "gain keeps most, 98.00" in verdict([ROW, *others], "% top-1")
    assert "not been measured" in verdict([replace(ROW, n=4)], "% top-1")


def test_what_is_missing_is_counted():
    plan = read_plan(ablation_view.PLAN)
    said = what_is_missing(Summary((ROW,), {}), plan)
    assert said.startswith(f"1 of {len(plan.trials())} points")
    assert plan.benches[1].name in said and plan.benches[0].name not in said


def test_the_file_holds_every_row():
    (row,) = csv.DictReader(io.StringIO(as_csv([ROW])))
    assert (row["method"], row["quality"], row["against direct"]) == ("fisher", "97.4", "1.5")
    assert row["against direct unsigned"] == "-2.0"
    assert row["against direct unsigned MSE clip"] == ""


@pytest.mark.parametrize("name", ["bits", "r"])
def test_the_file_names_its_columns(name):
    assert name in as_csv([ROW]).splitlines()[0].split(",")
