"""The contest of RLQ and a rival: one start, the same batches, and nothing left to chance."""

import copy
import math
from itertools import islice

import numpy as np
import pytest
import torch

from quantlib.errors import QuantlibError
from quantlib.evaluation.quality import psnr_y
from quantlib.imaging.samples import load_sample
from quantlib.models import load
from quantlib.qat.scheme import LEARNED
from quantlib.training import contest as live
from quantlib.training.contest import FP32, HELD_OUT, TRAINED_ON, Contest, Moment, compete

SHORT = Contest("lsq", steps=4, start_steps=3, picture_every=2)
RIVALS = [method for method in LEARNED if method != "rlq"]


@pytest.fixture(scope="module")
def moments() -> list[Moment]:
    return list(compete(SHORT))


def same(a: Moment, b: Moment) -> bool:
    return a[:3] == b[:3] and np.array_equal(a.picture, b.picture)  # type: ignore[arg-type]


def test_the_moments_come_in_order(moments):
    steps = [(m.method, m.step) for m in moments]
    start = [(FP32, 1), (FP32, 2), (FP32, 3), ("rlq", 0), ("lsq", 0)]
    assert steps == start + [(method, n) for n in range(1, 5) for method in ("rlq", "lsq")]
    assert len(moments) == SHORT.slices
    pictured = [(m.method, m.step) for m in moments if m.picture is not None]
    assert pictured == [(FP32, 3)] + [(m, n) for n in (0, 2, 4) for m in ("rlq", "lsq")]


def test_the_same_contest_gives_the_same_numbers(moments):
    again = list(compete(SHORT))
    assert all(same(a, b) for a, b in zip(moments, again, strict=True))


def test_another_seed_gives_others(moments):
    other = next(compete(Contest("lsq", steps=4, start_steps=3, seed=1)))
    assert other.loss != moments[0].loss


def test_both_see_the_same_network_and_the_same_batches(monkeypatch):
    """Every network that is quantized is one and the same; every step is made on one batch."""
    starts, batches = [], []
    quantize, advance = live.quantized, live.Contestant.advance

    def noted_quantize(network, scheme):
        starts.append(copy.deepcopy(network.state_dict()))
        return quantize(network, scheme)

    def noted_advance(self, step, low, high):
        batches.append((self.recipe.method, step, low.clone(), high.clone()))
        return advance(self, step, low, high)

    monkeypatch.setattr(live, "quantized", noted_quantize)
    monkeypatch.setattr(live.Contestant, "advance", noted_advance)
    list(compete(SHORT))
    first, second = starts
    assert all(torch.equal(first[name], second[name]) for name in first)
    of = {m: [b[1:] for b in batches if b[0] == m] for m in ("rlq", "lsq")}
    assert len(of["rlq"]) == 4
    for (step, low, high), (other_step, other_low, other_high) in zip(
        of["rlq"], of["lsq"], strict=True
    ):
        assert step == other_step
        assert torch.equal(low, other_low) and torch.equal(high, other_high)
    seen = [b[2] for b in batches if b[0] in ("", "rlq")]
    assert not any(torch.equal(a, b) for i, a in enumerate(seen) for b in seen[:i])


def test_the_start_is_the_bundled_network_cut_short():
    cut, whole = live._first_blocks().state_dict(), load("builtin:edsr-x2").network.state_dict()
    assert torch.equal(cut["head.0.weight"], whole["head.0.weight"])
    assert torch.equal(cut["body.3.body.2.weight"], whole["body.3.body.2.weight"])
    assert torch.equal(cut["body.4.weight"], whole["body.16.weight"])
    assert torch.equal(cut["tail.1.bias"], whole["tail.1.bias"])


def test_the_held_out_photograph_is_not_trained_on():
    truth = live.held_out()[1]
    patches = live.SamplePatches(24).pairs
    assert HELD_OUT not in TRAINED_ON and len(TRAINED_ON) == len(patches) == 5
    assert np.array_equal(truth, load_sample(HELD_OUT, 192).rgb)
    whole = load_sample(HELD_OUT).rgb
    assert not any(high.shape == whole.shape and (high == whole).all() for _, high in patches)


def test_stopping_is_not_going_on(moments):
    course = compete(SHORT)
    some = list(islice(course, 6))
    course.close()  # type: ignore[attr-defined]
    assert next(course, None) is None
    assert all(same(a, b) for a, b in zip(some, moments, strict=False))


def test_k_is_rlqs_alone(moments):
    softer = list(compete(Contest("lsq", k=4.0, steps=4, start_steps=3, picture_every=2)))
    pairs = list(zip(moments, softer, strict=True))
    assert all(same(a, b) for a, b in pairs if a.method != "rlq")
    assert not all(same(a, b) for a, b in pairs if a.method == "rlq")


@pytest.mark.parametrize("rival", RIVALS)
def test_every_rival_can_be_met(rival):
    *_, last = compete(Contest(rival, steps=1, start_steps=1))
    assert last.method == rival and last.picture is not None
    assert last.loss is not None and math.isfinite(last.loss)


def test_the_picture_gets_better():
    truth = live.held_out()[1]
    course = compete(Contest("lsq", steps=25, start_steps=20))
    quality = [(m.method, psnr_y(m.picture, truth, 2)) for m in course if m.picture is not None]
    for method in ("rlq", "lsq"):
        first, *_, last = (decibel for name, decibel in quality if name == method)
        assert last > first + 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"rival": "rlq"},
        {"rival": "luck"},
        {"bits": 1},
        {"bits": 9},
        {"steps": 0},
        {"start_steps": 0},
        {"k": -1.0},
    ],
)
def test_a_wrong_contest_is_one_sentence(wrong):
    with pytest.raises(QuantlibError):
        Contest(**wrong)
