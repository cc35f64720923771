"""The forms of a network: equal pictures, real bytes, and what they take."""

import pytest

from quantlib.imaging.samples import load_sample
from quantlib.models import load
from quantlib.runtime.shares import FLOATS, INTEGERS, SHARES
from quantlib.tasks.super_resolution import reduced
from quantlib.tasks.ways import ONNX, PYTORCH, Cost, costs, ways

LOW, TRUTH = reduced(load_sample("cat", 64).rgb, 2)


@pytest.fixture(scope="module")
def found() -> dict[tuple[str, str], Cost]:
    both = load("builtin:edsr-x2"), load("builtin:quantsr-c-x2-w4a4")
    return {(cost.title, cost.engine): cost for cost in costs(ways(*both), LOW, TRUTH, rounds=2)}


def test_every_form_gives_nearly_the_same_picture(found):
    reference = found["FP32", PYTORCH].psnr_y
    assert reference is not None
    for (title, _), cost in found.items():
        assert cost.psnr_y is not None and len(cost.seconds) == 2
        slack = {"FP32": 0.01, "8 bits after training": 0.3}.get(title, 1.5)
        assert abs(cost.psnr_y - reference) < slack


def test_depths_take_less(found):
    held = [found[f"RLQ, {depth}", ONNX] for depth in ("full", "half", "quarter")]
    assert held[0].file > held[1].file > held[2].file


def test_what_computes_in_floats_and_what_in_integers(found):
    assert all(sum(cost.shares.values()) == pytest.approx(1, abs=0.02) for cost in found.values())
    assert all(set(cost.shares) == set(SHARES) for cost in found.values())
    for engine in (PYTORCH, ONNX):
        assert found["FP32", engine].shares[INTEGERS] == 0 < found["FP32", engine].shares[FLOATS]
    assert found["8 bits after training", ONNX].shares[INTEGERS] > 0.2
    assert found["RLQ, full, ends in 8 bits", PYTORCH].shares[FLOATS] < 0.05


def test_files_and_memory(found):
    assert found["RLQ, full", ONNX].file < 0.3 * found["FP32", ONNX].file
    assert found["RLQ, full, ends in FP32", PYTORCH].file < 0.3 * found["FP32", PYTORCH].file
    assert found["FP32", ONNX].held is None
    held = [found[key, PYTORCH].held for key in ("FP32", "RLQ, full, ends in 8 bits")]
    assert None not in held and held[1] < held[0]  # type: ignore[operator]


def test_a_form_that_a_network_does_not_have_says_why():
    network = load("builtin:quantsr-t-x2-fp32")
    (cost,) = costs(ways(network, None)[1:2], LOW, rounds=1)
    assert not cost.seconds and "cuts its input into windows" in cost.why_not


def test_watching_may_stop_it():
    network, seen = load("builtin:edsr-x2"), []

    class Stopped(Exception):  # noqa: N818
        pass

    def watch(done: int, total: int) -> None:
        seen.append((done, total))
        if done == 3:
            raise Stopped

    with pytest.raises(Stopped):
        costs(ways(network, None)[:2], LOW, rounds=5, watch=watch)
    assert seen == [(0, 12), (1, 12), (2, 12), (3, 12)]
