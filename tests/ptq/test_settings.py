import math

import pytest

from quantlib.errors import QuantlibError
from quantlib.ptq.criteria import CRITERIA
from quantlib.ptq.methods import METHODS
from quantlib.ptq.settings import Settings


@pytest.mark.parametrize(
    ("choices", "summary"),
    [
        ({"method": "fp32"}, "FP32"),
        ({"method": "direct", "bits": 8}, "8-bit direct"),
        ({"method": "pot", "bits": 2}, "2-bit power-of-two"),
        ({"method": "noisyquant", "bits": 4}, "4-bit NoisyQuant"),
        ({"method": "dqa", "bits": 3}, "3-bit DQA"),
        ({"method": "dqa-ans", "bits": 3}, "3-bit DQA, base codes entropy-coded"),
    ],
)
def test_summaries(choices, summary):
    assert Settings(**choices).summary == summary


@pytest.mark.parametrize(
    ("method", "dynamic", "frozen"),
    [
        ("fp32", False, False),
        ("direct", False, True),
        ("pot", False, True),
        ("noisyquant", True, True),
        ("dqa", False, True),
        ("dqa-ans", False, True),
    ],
)
def test_what_needs_calibration(method, dynamic, frozen):
    assert Settings(method).needs_calibration is dynamic
    assert Settings(method, scales="frozen").needs_calibration is frozen


def test_only_dqa_needs_a_ranking():
    assert [m for m in METHODS if Settings(m).needs_ranking] == ["dqa", "dqa-ans"]


@pytest.mark.parametrize(
    "choices",
    [
        {"method": "best"},
        {"criterion": "gut feeling"},
        {"clip": "median"},
        {"scales": "warm"},
        *({"bits": bits} for bits in (0, 1, 9, 17, -1, 3.0, True, None, "3")),
        *({"extra_bits": bits} for bits in (-1, 5, 1.5, False, "1")),
        *({"important": ratio} for ratio in (-0.01, 1.01, math.nan, math.inf)),
    ],
    ids=str,
)
def test_what_is_refused(choices):
    with pytest.raises(QuantlibError) as caught:
        Settings(**choices)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("ratio", [0, 0.0, 0.4, 1])
@pytest.mark.parametrize("criterion", CRITERIA)
def test_what_is_allowed(ratio, criterion):
    settings = Settings(bits=2, extra_bits=0, important=ratio, criterion=criterion)
    assert (settings.important, settings.criterion) == (ratio, criterion)
    assert hash(settings) == hash(
        Settings(bits=2, extra_bits=0, important=ratio, criterion=criterion)
    )
