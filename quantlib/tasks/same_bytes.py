"""The settings of a method that take as many bytes as something else does."""

import math
from collections.abc import Callable
from dataclasses import replace

from quantlib.ptq import Settings
from quantlib.ptq.parameters import MAX_BITS, MIN_BITS, PARAMETERS, Real

CLOSE = 0.005  # of the target
ATTEMPTS = 6
HUNDREDTHS, THOUSANDTHS = 100, 1000

Spent = Callable[[Settings], float]


def at_same_bytes(start: Settings, target: float, spent: Spent) -> Settings:
    """`start` with the numbers of its method at which it takes nearly `target` bits per activation.

    `spent` measures the bits per activation of settings. A budget is met by itself. Whole bits come
    as near as they can; methods that rank channels have a ratio r in hundredths beside them, and
    come to half a percent wherever `target` lies between r = 0 and r = 1.

    >>> at_same_bytes(Settings("direct"), 2.9, lambda s: s.bits + 0.1).bits
    3
    >>> at_same_bytes(Settings("dqa"), 3.5, lambda s: s.bits + 1.25 * s.important).important
    0.4
    """
    if start.entry.budgeted:
        limits = PARAMETERS["bits_per_activation"]
        assert isinstance(limits, Real)
        budget = min(math.floor(THOUSANDTHS * target) / THOUSANDTHS, limits.high)
        return replace(start, bits_per_activation=max(budget, limits.low))
    if start.needs_ranking:
        return _at_ratio(start, target, spent)
    below = _most_bits(start, target, spent)
    above = replace(below, bits=min(below.bits + 1, MAX_BITS))
    return _nearer(below, above, target, spent)


def _most_bits(start: Settings, target: float, spent: Spent) -> Settings:
    """With the most bits that `target` has room for, or the fewest that there are."""
    bits = min(max(math.floor(target), MIN_BITS), MAX_BITS)
    while bits > MIN_BITS and spent(replace(start, bits=bits)) > target:
        bits -= 1
    return replace(start, bits=bits)


def _at_ratio(start: Settings, target: float, spent: Spent) -> Settings:
    """Bytes rise nearly in a line with r, so that a line through two points finds it."""
    low = _most_bits(replace(start, important=0.0), target, spent)
    high = replace(low, important=1.0)
    for _ in range(ATTEMPTS):
        if not spent(low) < target < spent(high):
            break
        share = (target - spent(low)) / (spent(high) - spent(low))
        width = high.important - low.important
        ratio = round(HUNDREDTHS * (low.important + share * width)) / HUNDREDTHS
        if ratio in (low.important, high.important):
            break
        between = replace(low, important=ratio)
        if abs(spent(between) - target) <= CLOSE * target:
            return between
        low, high = (between, high) if spent(between) < target else (low, between)
    return _nearer(low, high, target, spent)


def _nearer(one: Settings, other: Settings, target: float, spent: Spent) -> Settings:
    return min(one, other, key=lambda settings: abs(spent(settings) - target))
