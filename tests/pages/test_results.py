"""The results page: with all runs, some of them, none, and with some that may not be ranked."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.results import comparison
from pages.parts.results.comparison_view import csv_of
from quantlib.training.comparison.plan import Result, _add, read_plan, read_results
from quantlib.training.super_resolution.recipe import Recipe
from quantlib.training.super_resolution.runcard import RunCard
from tests.pages.said import captions

PAGE = Path(__file__).parents[2] / "pages" / "results.py"
BASE = {"rlq": 37.0, "lsq": 36.9, "pact": 36.0, "dorefa": 35.0, "pams": 36.5, "ddtb": 36.6}


def made(recipe: Recipe) -> Result:
    """Scores that follow from the recipe: a level, and a little for the seed and the picture."""
    level = BASE[recipe.method] + 0.1 * recipe.weight_bits + 0.01 * recipe.seed * recipe.k
    level -= 0.2 * (not recipe.learn_step) + 0.05 * (not recipe.use_shift)
    scores = {"set5": [level + i for i in range(5)], "set14": [level - 5 + i for i in range(14)]}
    return Result(recipe.name, RunCard.of(recipe, "none", 0.05), scores)


@pytest.fixture
def file(tmp_path, monkeypatch) -> Path:
    path = tmp_path / "results.json"
    monkeypatch.setattr(comparison, "RESULTS", path)
    return path


def write(file: Path, recipes: list[Recipe]) -> None:
    for recipe in recipes:
        _add(file, made(recipe))


def planned() -> list[Recipe]:
    return read_plan(comparison.PLAN).recipes()


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(str(PAGE), default_timeout=120)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def fine(app: AppTest) -> bool:
    return not app.exception and not app.error


def cells(app: AppTest, table: int) -> list[dict[str, str]]:
    text = app.table[table].value.astype(str)
    return text.replace({"\N{NO-BREAK SPACE}": " ", "‑": "-"}, regex=True).to_dict("records")


def test_all_runs(file):
    write(file, planned())
    app = opened()
    assert fine(app) and not app.info
    # Seeds 1 to 3 add 0.01 each to both (k is 1 for LSQ's recipe too).
    assert app.subheader[0].value == (
        "RLQ is above LSQ, the highest of the other 5 methods, at W2A2 on Set5 "
        "by 0.10 ± 0.00 dB over 3 seeds, measured here."
    )
    rows = cells(app, 0)
    assert [row["method"] for row in rows] == ["RLQ", "LSQ", "DDTB", "PAMS", "PACT", "DoReFa"]
    scores = [np.mean(made(r).psnr_y["set5"]) for r in planned() if r.name.startswith("rlq-w2a2-s")]
    assert (
        rows[0]["Set5 in dB, measured here"]
        == f"{np.mean(scores):.2f} ± {np.std(scores, ddof=1):.2f}"
    )
    ablation = cells(app, 1)
    parts = {(row["φ"], row["τ"], row["learned step"]) for row in ablation}
    assert len(ablation) == len(parts) == 8


def test_other_bits_and_another_benchmark(file):
    write(file, planned())
    app = opened(width="W4A4", benchmark="Set14")
    assert fine(app)
    assert "at W4A4 on Set14" in app.subheader[0].value
    assert len(cells(app, 0)) == 6


def test_no_run(file):
    app = opened()
    assert fine(app)
    assert len(app.info) == 1
    assert "54 runs" in app.info[0].value and "`make comparison`" in app.info[0].value
    assert not app.subheader
    assert "Urban100, published" in cells(app, 0)[0]


def test_the_file_as_it_is_shipped():
    assert fine(opened())


def test_some_runs_of_one_seed(file):
    write(file, [r for r in planned() if r.name in ("rlq-w2a2-seed1", "lsq-w2a2-seed1")])
    app = opened()
    assert fine(app)
    assert app.info[0].value.startswith("2 of the 54 runs")
    assert app.subheader[0].value == (
        "RLQ is above LSQ at W2A2 on Set5 by 0.10 dB with one seed, measured here."
    )
    assert all(
        "±" not in cell for table in (0, 1) for row in cells(app, table) for cell in row.values()
    )
    assert any("One seed each" in c for c in captions(app))


def test_one_method_alone(file):
    write(file, planned()[:1])
    app = opened()
    assert fine(app)
    assert app.subheader[0].value == ("RLQ ran at W2A2 on Set5 so far: RLQ cannot be compared yet.")


def test_rlq_below_another(file):
    write(file, [r for r in planned() if r.seed == 1 and r.weight_bits == 2])
    results = read_results(file)
    low = results["rlq-w2a2-seed1"]
    worse = {name: [psnr - 1 for psnr in psnrs] for name, psnrs in low.psnr_y.items()}
    _add(file, replace(low, psnr_y=worse))
    app = opened()
    assert "RLQ is below LSQ" in app.subheader[0].value and "by 0.90 dB" in app.subheader[0].value


def test_unequal_cards_are_one_notice(file):
    write(file, [r for r in planned() if r.seed == 1 and r.weight_bits == 2])
    lsq = read_results(file)["lsq-w2a2-seed1"]
    _add(file, replace(lsq, run=replace(lsq.run, steps=9)))
    app = opened()
    assert not app.exception
    assert len(app.error) == 1 and "steps is" in app.error[0].value
    assert not app.subheader
    assert any("What differs" in m.value for m in app.markdown)
    assert any("Published" in m.value for m in app.markdown)


def test_a_damaged_file_is_one_notice(file):
    file.write_text("{")
    app = opened()
    assert not app.exception
    assert len(app.error) == 1 and "train again" in app.error[0].value
    assert "Urban100, published" in cells(app, 0)[0]


def test_two_methods_picture_by_picture(file):
    write(file, planned())
    app = opened(one="PAMS", other="DDTB")
    assert fine(app)
    said = next(m.value for m in app.markdown if "PAMS minus DDTB" in m.value)
    assert "is -0.100 dB on average over 19 pictures, standard error 0.000 dB" in said
    assert "PAMS is above on 0 of them" in said
    app.selectbox(key="one").set_value("DDTB").run()
    assert fine(app)
    assert any("DDTB minus RLQ" in m.value for m in app.markdown)


def test_published_and_measured_never_share_a_column(file):
    write(file, planned())
    app = opened()
    table = cells(app, -1)
    assert all(
        ("published" in heading) != ("measured here" in heading)
        for heading in table[0]
        if heading.startswith(("Set", "B100", "Urban"))
    )
    ddtb = next(
        r for r in table if (r["method"], r["bits"], r["network"]) == ("DDTB", "2", "SRResNet")
    )
    assert ddtb["Set5, published"] == "37.46"
    assert ddtb["Set5, measured here"].startswith("38.8")
    assert all(row["source"][0].isdigit() for row in table)
    text = " ".join(m.value for m in app.markdown)
    for trap in ("swapped", "unquantized", "Epochs are not iterations", "counting rule"):
        assert trap in text
    app.segmented_control(key="scale").set_value(4).run()
    assert fine(app)
    assert "measured here" not in " ".join(cells(app, -1)[0])


def test_the_download_holds_every_score(file):
    write(file, planned()[:2])
    lines = csv_of(read_results(file)).splitlines()
    assert len(lines) == 1 + 2 * 19
    assert "rlq-w2a2-seed1,RLQ,2,2,1,set14,14," in "\n".join(lines)


def test_bundled_networks_and_their_cards(tmp_path, monkeypatch):
    training = {"features": 32, "method": "rlq", "activation_bits": 4}
    small = {"architecture": "EDSR", "scale": 2, "parameters": 1, "bytes": 2048}
    full = {
        **small,
        "title": "EDSR ×2 (bundled)",
        "psnr_y": {"set5": 37.5},
        "training": {"features": 32},
    }
    quantized = {
        **small,
        "title": "QuantSR-C ×2, W4A4 (bundled)",
        "psnr_y": {"set5": 37.4},
        "depths": {"full": {"set5": 37.4}, "half": {"set5": 37.31}},
        "training": training,
    }
    for name, card in (("full", full), ("quantized", quantized)):
        (tmp_path / f"{name}.json").write_text(json.dumps(card))
        (tmp_path / f"{name}.safetensors").touch()
    monkeypatch.setattr("quantlib.models.catalogue.WEIGHTS_FOLDER", tmp_path)
    app = opened(view="Bundled networks")
    assert fine(app)
    found = [tuple(row.values()) for row in cells(app, 0)]
    assert found == [
        ("full", "FP32", "full", "37.50", "2 KiB"),
        ("quantized", "W4A4", "full", "37.40 (-0.10)", "2 KiB"),
        ("quantized", "W4A4", "half", "37.31 (-0.19)", "2 KiB"),
    ]
    app.selectbox(key="card").set_value("builtin:quantized").run()
    assert "--method rlq --bits 4" in app.code[0].value


def test_the_bundled_networks_as_they_are_shipped():
    app = opened(view="Bundled networks")
    assert fine(app)
    assert any(row["network"] == "edsr-x2" for row in cells(app, 0))


def test_dqa_is_measured_on_the_spot():
    app = opened(view="DQA")
    assert fine(app)
    here = {(row["method"], row["bits n"]): row for row in cells(app, 0)}
    psnr = {key: float(row["PSNR in dB, measured here"]) for key, row in here.items()}
    assert psnr["FP32", "32"] > psnr["DQA", "3"] > psnr["Direct", "3"] > psnr["Power-of-two", "3"]
    assert "published" not in " ".join(here["DQA", "3"])
    assert all("measured here" not in heading for heading in cells(app, 1)[0])
    assert any("other tasks" in c for c in captions(app))
    assert "--method dqa --bits 3 --extra-bits 3 --important 0.4" in app.code[0].value
