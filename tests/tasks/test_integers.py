"""Real integers on a benchmark: the figure of the card."""

import pytest

from quantlib.tasks.integers import quality


@pytest.mark.shared
def test_integers_reach_the_figure_of_the_card(shared_data):
    found = quality(shared_data / "set5/HR", shared_data / "set5/LR_bicubic/X2")
    assert found.met
    assert abs(found.figure - found.required) < 0.02, "nor is it another network's"
