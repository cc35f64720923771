"""Plans, trials and the tables made of them, on a slice of scikit-learn's digits."""

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from quantlib import files
from quantlib.ablation.plan import INVERSE, AblationPlan, read_plan
from quantlib.ablation.points import Results
from quantlib.ablation.summary import Summary, at_equal_bytes, summarise
from quantlib.ablation.trials import measure_all
from quantlib.cli import main
from quantlib.datasets.folders import read_digits
from quantlib.errors import QuantlibError
from quantlib.models import load_classifier
from quantlib.ptq import Settings
from quantlib.sweeps.engines import Processes
from quantlib.tasks.bench import BenchPlan
from quantlib.tasks.classification import classify

CODED = "fisher, coded base"
ROOT = Path(__file__).parents[2]
PLANS = ROOT / "assets" / "plans"
DIGITS = BenchPlan("digits", "classification", "builtin:resnet-digits", "digits", pictures=60)
SMALL = AblationPlan(
    (DIGITS,),
    criteria=("random", "energy", "inverse fisher", CODED),
    bits=(3,),
    extra_bits=(3,),
    ratios=(0.4, 0.8),
    seeds=(0, 1),
    uniform_bits=(2, 4),
    budgets=(2.0,),
)


@pytest.fixture(scope="module")
def measured(tmp_path_factory) -> Results:
    return measure_all(SMALL, Path(), tmp_path_factory.mktemp("ablation") / "results.json")


def test_the_plan_that_comes_along_varies_what_the_issue_asks_for():
    plan = read_plan(PLANS / "ablation.toml")
    made = plan.trials()
    assert len({trial.key for trial in made}) == len(made)
    for bench in plan.benches:
        mine = [t for t in made if t.bench == bench.name]
        dqa = [t.settings for t in mine if t.method == "greedy"]
        assert {(s.bits, s.extra_bits) for s in dqa} == {
            (n, m) for n in (2, 3, 4, 5) for m in (1, 2, 3)
        }
        paper = {s.important for s in dqa if (s.bits, s.extra_bits) == (3, 3)}
        assert paper == {tenth / 10 for tenth in range(1, 10)}
        assert {t.seed for t in mine if t.method == "random"} == set(range(5))
        assert {INVERSE + "fisher", CODED, "energy", "saliency", "fisher", "gain"} <= {
            t.method for t in mine
        }


def test_points_are_what_classify_measures(measured):
    net, pictures = load_classifier("builtin:resnet-digits"), read_digits()[:60]
    settings = Settings("dqa", 3, 3, 0.8, "energy")
    alone = classify(net, settings, pictures, read_digits("train")[:64])
    point = measured.points["digits | energy | seed 0 | n=3 m=3 r=0.8"]
    assert point.mean == pytest.approx(alone.accuracy, abs=1e-4)
    assert point.bytes == alone.ledger.total.total
    assert point.bits == pytest.approx(alone.ledger.bits_per_activation, abs=1e-5)


def test_a_coded_base_changes_bytes_and_nothing_else(measured):
    plain = classify(
        load_classifier("builtin:resnet-digits"),
        Settings("dqa", 3, 3, 0.4, "fisher"),
        read_digits()[:60],
        read_digits("train")[:64],
    )
    coded = measured.points[f"digits | {CODED} | seed 0 | n=3 m=3 r=0.4"]
    assert coded.mean == pytest.approx(plain.accuracy, abs=1e-4)
    assert coded.bytes < plain.ledger.total.total


def test_what_was_broken_off_goes_on(measured, tmp_path):
    class StoppedError(Exception):
        pass

    def stop(done: int, total: int, name: str) -> None:
        if done >= 5:
            raise StoppedError

    file = tmp_path / "results.json"
    with pytest.raises(StoppedError):
        measure_all(SMALL, Path(), file, watch=stop)
    before = Results.read(file)
    assert 5 <= len(before.points) < len(measured.points)
    seen = []
    after = measure_all(SMALL, Path(), file, watch=lambda d, n, name: seen.append(name))
    assert after.points.keys() == measured.points.keys()
    assert {k: replace(p, seconds=0) for k, p in after.points.items()} == {
        k: replace(p, seconds=0) for k, p in measured.points.items()
    }
    assert "digits, FP32" not in seen, "what was there is not measured again"


def test_two_processes_measure_the_same(measured, tmp_path):
    file = tmp_path / "results.json"
    chosen = measure_all(
        SMALL, Path(), file, Processes(2), only=lambda t: t.method in ("energy", "direct")
    )
    for key, point in chosen.points.items():
        assert replace(point, seconds=0) == replace(measured.points[key], seconds=0)


KILLED = """
import multiprocessing, os, signal
from concurrent.futures import ProcessPoolExecutor
from quantlib.sweeps import engines
pool = ProcessPoolExecutor(1, multiprocessing.get_context("fork"), engines._begin)
print(pool.submit(os.getpid).result(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_processes_side_by_side_end_with_the_one_that_began_them():
    """The one that was begun holds the output too, whose end is waited for here."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == -signal.SIGKILL and done.stdout.strip().isdigit()


def test_rows_are_means_over_seeds(measured):
    summary = summarise(measured)
    (row,) = [r for r in summary.rows if r.method == "random" and r.r == 0.8]
    points = [measured.points[f"digits | random | seed {s} | n=3 m=3 r=0.8"] for s in (0, 1)]
    assert row.seeds == 2
    assert row.quality == pytest.approx(np.mean([p.mean for p in points]), abs=1e-4)
    assert row.deviation == pytest.approx(np.std([p.mean for p in points], ddof=1), abs=1e-4)


def test_differences_are_taken_at_equal_bytes(measured):
    summary = summarise(measured)
    uniform = {r.bits: r.quality for r in summary.rows if r.method == "direct"}
    (low, high), row = sorted(uniform), next(r for r in summary.rows if r.method == "energy")
    share = (row.bits - low) / (high - low)
    between = uniform[low] + share * (uniform[high] - uniform[low])
    assert row.against["direct"] == pytest.approx(row.quality - between, abs=1e-3)
    assert at_equal_bytes(uniform.items(), high + 0.1) is None


def test_correlations_are_spearmans(measured):
    table = summarise(measured).correlations["digits"]
    orders = measured.orders["digits"]
    wanted = []
    for site in orders["energy"]:
        one, other = (np.argsort(orders[line][site]) for line in ("energy", "inverse fisher"))
        wanted.append(spearmanr(one, other)[0])
    assert table["energy"]["inverse fisher"] == pytest.approx(np.mean(wanted), abs=1e-3)
    assert table["energy"]["energy"] == 1


def test_a_summary_is_read_as_it_was_written(measured, tmp_path):
    summary = summarise(measured)
    summary.write(tmp_path / "summary.json")
    assert Summary.read(tmp_path / "summary.json") == summary
    assert Summary.read(tmp_path / "none.json").rows == ()


def test_benches_measured_later_take_the_place_of_earlier_ones(measured):
    earlier = summarise(measured)
    later = Summary((replace(earlier.rows[0], quality=1.0),), {"digits": {}})
    other = Summary((replace(earlier.rows[0], bench="letters"),), {"letters": {}})
    joined = earlier.with_benches(other).with_benches(later)
    assert joined.benches == ["letters", "digits"]
    assert joined.of("letters") == list(other.rows) and joined.of("digits") == list(later.rows)
    assert joined.correlations == {"letters": {}, "digits": {}}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("bits = [3]", "it needs tables"),
        ("[[bench]]\nname = 'a'", "it needs tables"),
        ("[[bench]]\nname='a'\ntask='hearing'\nmodel='b'\ndata='c'", "task 'hearing'"),
        ("nonsense", "it needs tables"),
    ],
)
def test_a_plan_that_is_none(tmp_path, text, sentence):
    (tmp_path / "plan.toml").write_text(text)
    with pytest.raises(QuantlibError, match=sentence):
        read_plan(tmp_path / "plan.toml")


def test_damaged_results_are_named(tmp_path):
    (tmp_path / "results.json").write_text('{"points": {"a": {}}}')
    with pytest.raises(QuantlibError, match=r"results\.json holds no results"):
        measure_all(SMALL, Path(), tmp_path / "results.json")


def test_results_are_written_whole_or_not_at_all(measured, tmp_path, monkeypatch):
    file = tmp_path / "results.json"
    measured.write(file)
    before = file.read_bytes()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "replace", full)
    with pytest.raises(QuantlibError, match="No space left"):
        Results().write(file)
    assert file.read_bytes() == before and list(tmp_path.iterdir()) == [file]


def test_the_verb_prints_and_writes(measured, tmp_path, capsys, monkeypatch):
    plan, file = tmp_path / "plan.toml", tmp_path / "results.json"
    plan.write_text(
        'criteria = ["energy"]\nbits = [3]\nextra_bits = [3]\nratios = [0.4]\n'
        "uniform_bits = [3]\nbudgets = [2.0]\n"
        '[[bench]]\nname = "digits"\ntask = "classification"\nmodel = "builtin:resnet-digits"\n'
        'data = "digits"\npictures = 40\n'
    )
    told = ["ablation", str(plan), "--data", ".", "--results", str(file)]
    assert main([*told, "--summary", str(tmp_path / "summary.json"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["measured"] == found["of"] == len(Results.read(file).points) == 8
    assert len(Summary.read(tmp_path / "summary.json").rows) == 8
    kept = replace(Summary.read(tmp_path / "summary.json").rows[0], bench="letters")
    Summary((kept,), {}).write(tmp_path / "summary.json")
    assert main([*told, "--summary", str(tmp_path / "summary.json"), "--json"]) == 0
    assert Summary.read(tmp_path / "summary.json").benches == ["letters", "digits"]
    assert len(Summary.read(tmp_path / "summary.json").rows) == 9
    capsys.readouterr()
    assert main([*told, "--bench", "letters"]) == 2
    assert "no bench 'letters'" in capsys.readouterr().err


def test_a_damaged_summary_is_named_before_anything_is_measured(tmp_path, capsys):
    (tmp_path / "summary.json").write_text("{}")
    told = ["ablation", str(PLANS / "ablation.toml"), "--data", "."]
    files = ["--results", str(tmp_path / "r.json"), "--summary", str(tmp_path / "summary.json")]
    assert main([*told, *files]) == 2
    assert "holds no summary" in capsys.readouterr().err
    assert not (tmp_path / "r.json").exists()
