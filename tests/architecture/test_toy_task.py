"""A task of one's own: its code in this file and an entry on the shelf. All others find it there.

Networks that name digits are asked whether a digit is even.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pages.parts.figures.ablation import conditions
from pages.parts.recognition.networks import _read
from quantlib.ablation.plan import AblationPlan, read_plan
from quantlib.ablation.trials import measure_all
from quantlib.cli import main, parser
from quantlib.cli.verbs import verbs
from quantlib.datasets import LabelledPictures
from quantlib.datasets.folders import read_digits
from quantlib.evaluation.ledger import Ledger
from quantlib.importance.example import labelled_batches
from quantlib.models import catalogue, load_classifier
from quantlib.models.classifier import read_classifier
from quantlib.ptq import QuantizedNetwork, Settings
from quantlib.tasks import classification
from quantlib.tasks.bench import Bench, BenchPlan
from quantlib.tasks.recognition import Recognition
from quantlib.tasks.task import TASKS, Task

MODEL = "builtin:resnet-digits"


@dataclass(frozen=True, eq=False)
class Parities:
    """Which of the pictures were told to be even or odd as they are."""

    right: np.ndarray
    ledger: Ledger
    seconds: float

    @property
    def figures(self) -> dict[str, Any]:
        return {"parity": 100 * float(self.right.mean()), "per_class": {}}


def evaluate(network: QuantizedNetwork, pictures: LabelledPictures, **how: Any) -> Parities:
    found = classification.evaluate(network, pictures, **how)
    return Parities(found.predicted % 2 == found.labels % 2, found.ledger, found.seconds)


def read(data: str | Path, split: str, limit: int | None = None) -> LabelledPictures:
    return read_digits(split)[:limit]


def bench(plan: BenchPlan, model: str, folder: Path) -> Bench:
    pictures = read(plan.data, "test", plan.pictures)

    def score(network: QuantizedNetwork) -> tuple[list[float], Ledger]:
        found = evaluate(network, pictures)
        return [found.figures["parity"]], found.ledger

    examples = labelled_batches(read(plan.data, "train", plan.calibration))
    return Bench(classification.sites_of(load_classifier(model)), examples, score)


CODE = Recognition(
    load=load_classifier,
    decode=read_classifier,
    sites_of=classification.sites_of,
    bench=bench,
    kind="labelled",
    read=read,
    check=classification.check,
    examples_of=labelled_batches,
    evaluate=evaluate,
)
PARITY = Task(
    "parity",
    __name__,
    measure="Even or odd, rightly",
    unit="% parity",
    figure="parity",
    verb="parity",
    summary="Measure whether digits are told to be even or odd.",
    examples=("--model builtin:resnet-digits --data digits", "--model net.pth --data digits"),
    data="digits (scikit-learn's)",
    named=("digits",),
    calibration=20,
)


@pytest.fixture(autouse=True)
def shelf(monkeypatch) -> None:
    monkeypatch.setitem(TASKS, PARITY.name, PARITY)


def test_it_has_a_verb(capsys):
    assert "parity" in verbs()
    words = ["--model", MODEL, "--data", "digits", "--limit", "60", "--method", "direct"]
    assert main(["parity", *words, "--bits", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    net, pictures = load_classifier(MODEL), read_digits()[:60]
    alone = classification.classify(net, Settings("direct", 2), pictures)
    assert found["parity"] == 100 * float((alone.predicted % 2 == alone.labels % 2).mean())
    assert found["bytes"] == alone.ledger.as_dict()
    assert main(["parity", *words]) == 0
    assert "Even or odd, rightly: " in capsys.readouterr().out


def test_its_verb_has_help(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    assert PARITY.summary in capsys.readouterr().out
    said = parser("parity").format_help()
    assert PARITY.data in said and all(example in said for example in PARITY.examples)


def test_a_mistake_is_one_sentence(capsys):
    assert main(["parity", "--model", MODEL, "--data", "nowhere"]) == 2
    assert "nowhere is not a folder" in capsys.readouterr().err


def test_the_catalogue_and_the_list_of_models_filter_by_it(tmp_path, monkeypatch, capsys):
    for ending in ("json", "safetensors"):
        name = f"resnet-digits.{ending}"
        shutil.copy(catalogue.WEIGHTS_FOLDER / name, tmp_path / f"even.{ending}")
    card = json.loads((tmp_path / "even.json").read_text())
    (tmp_path / "even.json").write_text(json.dumps(card | {"task": "parity"}))
    monkeypatch.setattr(catalogue, "WEIGHTS_FOLDER", tmp_path)
    assert [entry.name for entry in catalogue.entries("parity")] == ["builtin:even"]
    assert main(["models", "--task", "parity", "--json"]) == 0
    models = json.loads(capsys.readouterr().out)["models"]
    assert [model["name"] for model in models] == ["builtin:even"]


def test_a_plan_of_an_ablation_measures_it(tmp_path):
    file = tmp_path / "plan.toml"
    file.write_text(
        'criteria = ["energy"]\nbits = [3]\nextra_bits = [3]\nratios = [0.4]\nuniform_bits = [2]\n'
        f'budgets = [2.0]\n[[bench]]\nname = "even"\ntask = "parity"\nmodel = "{MODEL}"\n'
        'data = "digits"\npictures = 60\n'
    )
    found = measure_all(read_plan(file), tmp_path, tmp_path / "results.json")
    direct = found.points["even | direct | seed 0 | n=2"]
    net, pictures = load_classifier(MODEL), read_digits()[:60]
    alone = classification.classify(net, Settings("direct", 2), pictures)
    assert direct.mean == pytest.approx(
        100 * float((alone.predicted % 2 == alone.labels % 2).mean()), abs=1e-4
    )


def test_pages_load_its_networks_and_say_how_it_was_measured():
    assert len(_read("parity", MODEL).sites.sites) > 1
    plan = BenchPlan("even", "parity", MODEL, "digits", calibration=20)
    assert "20 training pictures" in conditions(plan, AblationPlan((plan,)))
