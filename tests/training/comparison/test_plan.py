"""The comparison: what a plan asks for, what a results file holds, what a table says."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from quantlib.cli import main
from quantlib.errors import QuantlibError
from quantlib.qat.scheme import LEARNED
from quantlib.training.comparison import post_trained
from quantlib.training.comparison.plan import Plan, Result, compare, read_plan, read_results
from quantlib.training.comparison.summary import TITLES, label_of, rows_of
from quantlib.training.super_resolution.recipe import Recipe
from quantlib.training.super_resolution.runcard import RunCard

SHIPPED = Path(__file__).parents[3] / "assets" / "plans" / "comparison-x2.toml"
CONDITIONS = Recipe("plan", 2, features=4, blocks=1, steps=3, batch=2, patch=8, warmup=1)
PLAN = Plan(CONDITIONS, ("rlq", "lsq"), (2,), (1, 2))
TEXT = """
scale = 2
features = 4
blocks = 1
steps = 3
batch = 2
patch = 8
warmup = 1

[compare]
methods = ["rlq", "lsq"]
bits = [2]
seeds = [1]
"""


@pytest.fixture(scope="module")
def photographs(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("photographs")
    noise = np.random.default_rng(0).integers(0, 256, (40, 48, 3), np.uint8)
    Image.fromarray(noise).save(folder / "noise.png")
    return folder


def score(network: torch.nn.Module) -> dict[str, list[float]]:
    """Two numbers that depend on the weights."""
    total = sum(float(p.detach().abs().sum()) for p in network.parameters())
    return {"set0": [total, total + 1]}


def result(seed: int = 1, psnr_y: dict | None = None, **recipe) -> Result:
    values = {"method": "rlq", "weight_bits": 2, "activation_bits": 2, **recipe}
    made = replace(CONDITIONS, seed=seed, **values)
    name = f"{made.method}-{made.weight_bits}-{seed}"
    return Result(name, RunCard.of(made, "1 photograph", 0.1), psnr_y or {"set0": [30.0, 32.0]})


# The plan


def test_the_shipped_plan_is_54_runs():
    """6 methods × 2 bits × 3 seeds, and 8 of the ablation less RLQ and LSQ, which are shared."""
    recipes = read_plan(SHIPPED).recipes()
    names = [recipe.name for recipe in recipes]
    assert len(names) == len(set(names)) == 6 * 2 * 3 + (8 - 2) * 3
    assert [r.method for r in recipes if r.name == "lsq-w2a2-seed3"] == ["lsq"]
    alone = {"name", "seed", "method", "weight_bits", "activation_bits"}
    alone |= {"k", "use_shift", "learn_step"}
    conditions = [{k: v for k, v in asdict(r).items() if k not in alone} for r in recipes]
    assert all(one == conditions[0] for one in conditions)


def test_the_ablation_switches_every_part_of_rlq():
    plan = replace(PLAN, methods=("rlq",), seeds=(1,), ablation_bits=(2,))
    rlq = {r.name: (r.k, r.use_shift, r.learn_step) for r in plan.recipes() if r.method == "rlq"}
    assert len(set(rlq.values())) == len(rlq) == 7
    assert (0.0, False, True) not in rlq.values()
    assert rlq["rlq-w2a2-seed1"] == (1.0, True, True)
    assert rlq["rlq-w2a2-no-phi-no-tau-fixed-step-seed1"] == (0.0, False, False)
    assert [r.name for r in plan.recipes() if r.method != "rlq"] == ["lsq-w2a2-seed1"]


def test_seed_after_seed():
    names = [recipe.name for recipe in PLAN.recipes()]
    assert names == ["rlq-w2a2-seed1", "lsq-w2a2-seed1", "rlq-w2a2-seed2", "lsq-w2a2-seed2"]


def test_a_plan_in_a_file(tmp_path):
    file = tmp_path / "plan.toml"
    file.write_text(TEXT)
    assert read_plan(file) == replace(PLAN, seeds=(1,))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[compare]", "[compared]", "is no plan of a comparison"),
        ("seeds = [1]", "seeds = 1", "is no plan of a comparison"),
        ('methods = ["rlq", "lsq"]', 'methods = "rlq"', "is no plan of a comparison"),
        ("seeds = [1]", 'seeds = ["one"]', "is no plan of a comparison"),
        ("seeds = [1]", "seeds = [1]\nlearners = [1]", "is no plan of a comparison"),
        ("scale = 2", "scale = [", "is no plan of a comparison"),
        (TEXT[TEXT.index("[compare]") :], "", "is no plan of a comparison"),
        ("[compare]", "compare = 3\n[other]", "is no plan of a comparison"),
        ('"lsq"', '"best"', "There is no quantizer 'best'"),
        ("bits = [2]", "bits = [9]", "from 2 to 8, not 9"),
        ("bits = [2]", "bits = []", "A comparison needs bits"),
        ("batch = 2", "bunch = 2", "sets bunch"),
    ],
)
def test_a_plan_that_is_none(tmp_path, old, new, said):
    file = tmp_path / "plan.toml"
    file.write_text(TEXT.replace(old, new))
    assert file.read_text() != TEXT
    with pytest.raises(QuantlibError, match=said):
        read_plan(file)


def test_a_plan_that_is_not_there(tmp_path):
    with pytest.raises(QuantlibError, match=r"nowhere\.toml is no plan"):
        read_plan(tmp_path / "nowhere.toml")


# Training


def test_every_run_is_trained_once_and_kept(photographs, tmp_path):
    results, checkpoints = tmp_path / "new" / "results.json", tmp_path / "checkpoints"
    told: list[str] = []

    def watch(name, progress) -> None:
        told.append(name)

    first = compare(PLAN, [photographs], results, checkpoints, score, (1,), watch)
    assert [one.name for one in first] == ["rlq-w2a2-seed1", "lsq-w2a2-seed1"]
    assert read_results(results) == {one.name: one for one in sorted(first, key=lambda o: o.name)}
    assert (
        first[0].run.method == "rlq" and first[0].run.data == f"1 photographs: {photographs.name}"
    )
    assert first[0].psnr_y != first[1].psnr_y
    assert list(checkpoints.iterdir()) == []

    told.clear()
    everything = compare(PLAN, [photographs], results, checkpoints, score, watch=watch)
    assert set(told) <= {"rlq-w2a2-seed2", "lsq-w2a2-seed2"}
    assert everything[:2] == first
    assert [one.name for one in everything] == [recipe.name for recipe in PLAN.recipes()]

    before = results.read_bytes()
    (checkpoints / "rlq-w2a2-seed1.pt").write_bytes(b"killed when its result was written")

    def refuse(network):
        raise AssertionError("trained again")

    assert compare(PLAN, [photographs], results, checkpoints, refuse) == everything
    assert results.read_bytes() == before
    assert [p.name for p in results.parent.iterdir()] == ["results.json"]
    assert list(checkpoints.iterdir()) == []


def test_a_missing_folder_of_photographs(photographs, tmp_path):
    with pytest.raises(QuantlibError, match="nowhere is not a folder"):
        compare(PLAN, [photographs, tmp_path / "nowhere"], tmp_path / "r.json", tmp_path, score)


def test_a_folder_that_cannot_be_made(photographs, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(QuantlibError, match="file is a file; name a folder"):
        compare(PLAN, [photographs], tmp_path / "r.json", tmp_path / "file", score)


def test_the_command_from_plan_to_table(photographs, tmp_path, capsys):
    plan, bench = tmp_path / "plan.toml", tmp_path / "bench"
    plan.write_text(TEXT)
    bench.mkdir()
    noise = np.random.default_rng(1).integers(0, 256, (32, 32, 3), np.uint8)
    Image.fromarray(noise).save(bench / "a_SRF_2_HR.png")
    Image.fromarray(noise[::2, ::2]).save(bench / "a_SRF_2_LR.png")
    places = ["--results", str(tmp_path / "r.json"), "--out", str(tmp_path / "out")]
    command = ["comparison", str(plan), "--data", str(photographs), *places]
    assert main(command) == 2
    assert "nothing to measure on" in capsys.readouterr().err
    command += ["--validate", "bench", str(bench), str(bench)]
    assert main(command) == 0
    said = capsys.readouterr().out
    kept = read_results(tmp_path / "r.json")
    for name, method in (("RLQ", "rlq"), ("LSQ", "lsq")):
        line = next(line for line in said.splitlines() if line.startswith(name))
        psnr = kept[f"{method}-w2a2-seed1"].psnr_y["bench"]
        assert f"bench {psnr[0]:.2f}  (quantized in training, one seed" in line and "±" not in line
    assert "2 of 2 runs, trained ones 3 steps × 2 × 8², measured here" in said
    assert main([*command, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["psnr_y"]["bench"]["deviation"] for row in rows] == [None, None]


# The file


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"a": 1}',
        '{"a": {"run": {}, "psnr_y": {}}}',
        '{"a": {"psnr_y": {"set0": [1]}}}',
    ],
)
def test_a_file_without_results(tmp_path, text):
    file = tmp_path / "results.json"
    file.write_text(text)
    with pytest.raises(QuantlibError, match=r"train .*again"):
        read_results(file)


@pytest.mark.parametrize("scores", [3, {"set0": 3}, {"set0": ["good"]}, {"set0": []}])
def test_scores_that_are_none(tmp_path, scores):
    file = tmp_path / "results.json"
    file.write_text(json.dumps({"a": {"run": asdict(result().run), "psnr_y": scores}}))
    with pytest.raises(QuantlibError, match="holds no results of a comparison"):
        read_results(file)


def test_no_file_is_no_results(tmp_path):
    assert read_results(tmp_path / "results.json") == {}


# The table


def test_every_method_has_a_title_and_every_switch_a_label():
    assert {*LEARNED, *post_trained.POST_TRAINED} == TITLES.keys() - {"fp32"}
    choices = [
        *({"method": method} for method in LEARNED),
        *(
            {"k": k, "use_shift": t, "learn_step": s}
            for k in (0.0, 2.0)
            for t in (0, 1)
            for s in (0, 1)
        ),
        {"method": "ddtb", "gate": False},
        {"method": "dorefa", "keep_scale": False},
        {"method": "pact", "keep_scale": False},
        {"weight_bits": 4},
        {"activation_bits": 4},
    ]
    labels = [label_of(result(**choice).run) for choice in choices]
    assert len(labels) == len(set(labels))
    assert label_of(result(k=0.0, use_shift=False).run) == "RLQ without φ, τ W2A2"


def test_rows_are_mean_and_deviation_over_seeds():
    random = np.random.default_rng(3)
    scores = random.uniform(30, 40, (2, 4, 5))
    results = [
        result(seed, {"set0": list(scores[m, seed])}, method=method)
        for m, method in enumerate(("rlq", "lsq"))
        for seed in range(4)
    ]
    rows = rows_of(results)
    assert [row.label for row in rows] == ["RLQ W2A2", "LSQ W2A2"]
    for row, table in zip(rows, scores, strict=True):
        means = table.mean(1)
        assert row.psnr_y["set0"].mean == pytest.approx(means.mean(), abs=6e-4)
        assert row.psnr_y["set0"].deviation == pytest.approx(means.std(ddof=1), abs=6e-4)
        assert (row.seeds, row.minutes) == (4, 6.0)


def test_one_seed_has_no_deviation():
    (row,) = rows_of([result()])
    assert row.psnr_y["set0"].deviation is None
    assert str(row.psnr_y["set0"]) == "31.00"


@pytest.mark.parametrize("seed", [1, 2])
def test_unequal_conditions_are_not_ranked(seed):
    """Neither between methods nor between seeds."""
    with pytest.raises(QuantlibError, match=r"cannot be ranked: steps is 3 for rlq and 4 for lsq"):
        rows_of([result(), result(seed, method="lsq", steps=4)])


def test_other_bits_may_have_other_conditions():
    assert len(rows_of([result(), result(weight_bits=4, activation_bits=4, steps=4)])) == 2


def test_other_pictures_are_not_ranked():
    two = result(method="lsq", psnr_y={"set0": [30.0], "set1": [30.0]})
    with pytest.raises(QuantlibError, match="2 of set0 and lsq-2-1 on 1 of set0 and 1 of set1"):
        rows_of([result(), two])
