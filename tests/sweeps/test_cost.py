"""The cost model against sums that are known, and the page against the model."""

import random

import pytest

from tests.sweeps.cost import PAGE, drawn, makespan, runs


def test_the_page_is_drawn_from_the_results():
    text = PAGE.read_text("utf-8")
    assert text == drawn(text), "draw it anew with `python -m tests.sweeps.cost`"


@pytest.mark.parametrize("workers", [1, 2, 3, 8, 100])
def test_time_lies_between_the_bounds_of_list_scheduling(workers):
    """Graham (1969): no more than the share of each and the longest piece together."""
    pieces = [random.Random(0).uniform(0.1, 9) for _ in range(40)]
    taken = makespan(pieces, workers)
    least = max(sum(pieces) / workers, max(pieces))
    assert least <= taken + 1e-9 <= sum(pieces) / workers + max(pieces) + 1e-9


def test_one_worker_takes_what_was_measured():
    assert makespan(runs(), 1) == pytest.approx(sum(runs()))
    assert makespan(runs(), 1, each=0.1) == pytest.approx(sum(runs()) + 0.1 * len(runs()))
