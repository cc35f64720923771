"""The fewest octaves that leave something to spare."""

import math
from collections.abc import Callable
from typing import TypeVar

OCTAVES, LEAP, FINEST = 40.0, 8.0, 1e-4
ROUNDS = 16
STEEP, NARROW = 8.0, 1 / 32  # a slope of so many usual ones is a jump, found to so many octaves

T = TypeVar("T")


def fewest_octaves(
    attempt: Callable[[float], T],
    spare: Callable[[T], float],
    enough: float,
    per_octave: float,
) -> T:
    """The outcome of the fewest octaves that leave something to spare, at most `enough` if found.

    What is spare grows with the octaves, by about `per_octave`: false position between the nearest
    two known sides, or the middle where it jumps between them. Of a jump the side that has enough;
    where nothing is ever spare, the last outcome.
    """
    best, low, high = None, -OCTAVES, OCTAVES
    below, above = math.inf, -math.inf  # what is spare on either side, once it is known
    octaves, known, slope = 0.0, None, per_octave
    outcome = attempt(octaves)
    for _ in range(ROUNDS):
        left = spare(outcome)
        if left >= 0:
            best, high, above = outcome, octaves, left
        else:
            low, below = octaves, left
        jumps = above - below > STEEP * per_octave * (high - low)
        if 0 <= left <= enough or high - low < (NARROW if jumps else FINEST):
            break
        if known and known[0] != octaves:
            slope = max((left - known[1]) / (octaves - known[0]), per_octave / 10)
        known = (octaves, left)
        stride = (enough / 2 - left) / slope
        octaves += min(max(stride, -LEAP), LEAP)
        if jumps or not low < octaves < high:
            octaves = (low + high) / 2
        outcome = attempt(octaves)
    return best or outcome
