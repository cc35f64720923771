"""Settings that take as many bytes as others, against trying every one of them."""

from dataclasses import replace

import pytest

from quantlib.ptq import Settings
from quantlib.ptq.parameters import MAX_BITS, MIN_BITS
from quantlib.tasks.same_bytes import CLOSE, at_same_bytes

TARGETS = [0.4, 2.0, 2.01, 2.5, 2.97, 3.4, 3.91, 4.49, 4.51, 6.2, 7.99, 8.3, 11.0]
SHAPES = {
    "a line": lambda r: 1.3 * r,
    "a bend": lambda r: 1.3 * r**2,
    "steps": lambda r: 1.3 * round(24 * r) / 24,
    "a knee": lambda r: 1.3 * max(r, 4 * r - 3),
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("overhead", [0.0, 0.03, 0.9])
@pytest.mark.parametrize("method", ["direct", "pot"])
def test_whole_bits_come_as_near_as_they_can(method, overhead, target):
    def spent(settings: Settings) -> float:
        return settings.bits + overhead

    found = at_same_bytes(Settings(method), target, spent)
    every = [replace(found, bits=bits) for bits in range(MIN_BITS, MAX_BITS + 1)]
    assert abs(spent(found) - target) == min(abs(spent(one) - target) for one in every)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_ratio_comes_close_with_few_trials(shape, target):
    tried: set[Settings] = set()

    def spent(settings: Settings) -> float:
        tried.add(settings)
        return settings.bits + 0.05 + SHAPES[shape](settings.important)

    start = Settings("dqa", 3, extra_bits=2, criterion="gain")
    found = at_same_bytes(start, target, spent)
    assert replace(found, bits=3, important=start.important) == start
    assert found.important == round(found.important, 2) and len(tried) <= 10
    ratios = [replace(found, important=r / 100) for r in range(101)]
    nearest = min(abs(spent(one) - target) for one in ratios)
    assert abs(spent(found) - target) <= max(nearest, CLOSE * target, 0.06)


def test_a_budget_is_taken_as_it_is():
    def spent(settings: Settings) -> float:
        raise AssertionError("nothing has to be measured")

    assert at_same_bytes(Settings("entropy"), 3.91, spent).bits_per_activation == 3.91
    assert at_same_bytes(Settings("entropy"), 40.0, spent).bits_per_activation == 32
