"""The search for a factor against plain bisection, on what rises smoothly and on what jumps."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantlib.importance.searching import FINEST, NARROW, OCTAVES, ROUNDS, fewest_octaves

ENOUGH = 0.02


class Counted:
    """Octaves that were tried, with what they leave."""

    def __init__(self, spare: Callable[[float], float]) -> None:
        self.spare = spare
        self.tried: list[float] = []

    def __call__(self, octaves: float) -> tuple[float, float]:
        self.tried.append(octaves)
        return octaves, self.spare(octaves)


def searched(spare: Callable[[float], float]) -> tuple[float, float, int]:
    """Octaves, what they leave, and how many tries it took."""
    counted = Counted(spare)
    octaves, left = fewest_octaves(counted, lambda outcome: outcome[1], ENOUGH, 1.0)
    return octaves, left, len(counted.tried)


def bisected(spare: Callable[[float], float]) -> float:
    """The fewest octaves that leave something, by halving the whole range."""
    low, high = -OCTAVES, OCTAVES
    while high - low > FINEST / 10:
        middle = (low + high) / 2
        low, high = (low, middle) if spare(middle) >= 0 else (middle, high)
    return high


@given(at=st.floats(-20, 20), slope=st.floats(0.3, 2))
def test_a_straight_line(at: float, slope: float) -> None:
    octaves, left, tries = searched(lambda x: slope * (x - at))
    assert 0 <= left <= ENOUGH
    assert octaves == pytest.approx(bisected(lambda x: slope * (x - at)), abs=ENOUGH / slope)
    assert tries <= ROUNDS


@given(at=st.floats(-8, 8), top=st.floats(2, 40))
def test_bits_that_fade_out(at: float, top: float) -> None:
    """As bits per activation do: about one an octave, less and less where few are left."""

    def spare(octaves: float) -> float:
        return 2 - math.log2(1 + 3 * 2 ** min(at - octaves, top))

    octaves, left, _ = searched(spare)
    assert 0 <= left <= ENOUGH
    assert octaves == pytest.approx(bisected(spare), abs=4 * ENOUGH)


@given(at=st.floats(-3, 3), below=st.floats(4, 40), above=st.floats(1, 4))
def test_a_jump_ends_on_its_better_side_and_early(at: float, below: float, above: float) -> None:
    octaves, left, tries = searched(lambda x: above if x >= at else -below)
    assert left == above
    assert bisected(lambda x: x - at) <= octaves <= at + NARROW
    assert tries < ROUNDS


def test_nothing_is_ever_spare() -> None:
    assert searched(lambda x: -1.0)[1] == -1.0
