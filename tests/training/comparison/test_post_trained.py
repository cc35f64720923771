"""Rivals without training in a comparison: what is run, what their cards say, how they rank."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from quantlib.cli import main
from quantlib.errors import QuantlibError
from quantlib.models.architectures.swinir import light
from quantlib.qat.adapting.post_training import BATCH, CROPS
from quantlib.qat.fused import uncompiled
from quantlib.training.comparison.plan import Result, compare, read_plan
from quantlib.training.comparison.post_trained import POST_TRAINED, PostTraining
from quantlib.training.comparison.summary import PTQ, QAT, rows_of

SHIPPED = Path(__file__).parents[3] / "assets" / "plans" / "transformer-x2.toml"
PLAN = """
scale = 2
start = "{start}"
architecture = "swinir"
features = 8
blocks = 2
group_layers = 1
heads = 2
steps = 2
batch = 2
patch = 16
warmup = 1

[compare]
methods = ["rlq"]
bits = [4]
seeds = [1]

[post_training]
methods = ["minmax", "percentile", "dobi", "2dquant", "noisyquant"]
pictures = 2
bound_steps = 2
"""


def written(folder: Path) -> Path:
    torch.manual_seed(0)
    start = folder / "start.safetensors"
    save_file(light(2, 8, groups=2, layers=1, heads=2).state_dict(), start)
    file = folder / "plan.toml"
    file.write_text(PLAN.format(start=start))
    return file


@pytest.fixture
def plan(tmp_path) -> Path:
    return written(tmp_path)


@pytest.fixture(scope="module")
def made(photographs, tmp_path_factory) -> list[Result]:
    folder = tmp_path_factory.mktemp("comparison")
    plan = read_plan(written(folder))
    with uncompiled():
        return compare(plan, [photographs], folder / "r.json", folder / "out", score)


def score(network: torch.nn.Module) -> dict[str, list[float]]:
    x = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return {"set0": [float(network(x).mean())]}


def test_the_shipped_plan_has_every_rival_at_both_widths():
    names = [recipe.name for recipe in read_plan(SHIPPED).recipes()]
    after = [f"{method}-w{bits}a{bits}" for bits in (2, 4) for method in POST_TRAINED]
    assert sorted(names[:10]) == sorted(after)
    learned = [
        f"{m}-w{b}a{b}-seed{seed}" for seed in (1, 2, 3) for b in (2, 4) for m in ("rlq", "lsq")
    ]
    assert names[10:] == learned


def test_every_rival_is_measured_and_says_what_it_took(made):
    by_method = {result.run.method: result for result in made}
    assert by_method.keys() == {*POST_TRAINED, "rlq"}
    figures = [by_method[method].psnr_y["set0"][0] for method in POST_TRAINED]
    assert len(set(figures)) == len(POST_TRAINED)
    learned = by_method["2dquant"].run
    assert (learned.steps, learned.batch, learned.optimiser) == (2, BATCH, "Adam")
    for method in {*POST_TRAINED} - {"2dquant"}:
        run = by_method[method].run
        assert (run.steps, run.batch, run.optimiser) == (0, CROPS, "none")
        assert run.data.startswith(("1 photo", "2 photo"))
    rows = rows_of(made)
    assert {row.run.method: row.quantized for row in rows} == {
        **dict.fromkeys(POST_TRAINED, PTQ),
        "rlq": QAT,
    }


def test_other_pictures_to_calibrate_on_are_not_ranked(made):
    first, *others = made
    other = replace(first, run=replace(first.run, data="other photographs"))
    with pytest.raises(QuantlibError, match="cannot be ranked: data"):
        rows_of([other, *others])


def test_one_command_prints_the_table(plan, photographs, tmp_path, capsys):
    arguments = ["comparison", str(plan), "--results", str(tmp_path / "r.json")]
    arguments += ["--out", str(tmp_path / "out"), "--data", str(photographs)]
    high, low = tmp_path / "high", tmp_path / "low"
    for folder, side in ((high, 40), (low, 20)):
        folder.mkdir()
        Image.radial_gradient("L").resize((side, side)).convert("RGB").save(folder / "disc.png")
    arguments += ["--validate", "bench", str(high), str(low)]
    assert main([*arguments, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["runs"], report["of"]) == (6, 6)
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert said.count("quantized after training") == 5
    assert said.count("quantized in training") == 1
    assert "2DQuant W4A4" in said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"minmax"', '"magic"', "no post-training method 'magic'"),
        ("pictures = 2", "pictures = 0", "1 picture or more"),
        ("bound_steps = 2", "bound_steps = 0", "1 step or more"),
        ("bound_steps = 2", "bounds = 2", "is no plan of a comparison"),
        ("pictures = 2", 'pictures = "two"', "is no plan of a comparison"),
    ],
)
def test_plans_that_cannot_be(plan, old, new, said):
    plan.write_text(plan.read_text().replace(old, new))
    with pytest.raises(QuantlibError, match=said):
        read_plan(plan)


def test_there_has_to_be_a_trained_network(plan):
    lines = plan.read_text().splitlines()
    plan.write_text("\n".join(line for line in lines if not line.startswith("start")))
    with pytest.raises(QuantlibError, match="needs a trained network"):
        read_plan(plan)


def test_other_post_training_methods_are_refused():
    with pytest.raises(QuantlibError, match="choose minmax, percentile, dobi, noisyquant, 2dquant"):
        PostTraining(("rlq",))
