"""Paired differences against numpy and scipy's own functions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from quantlib.errors import QuantlibError
from quantlib.evaluation.paired import Paired

DECIBELS = st.floats(10, 60).map(lambda x: round(x, 4))


@given(st.lists(st.tuples(DECIBELS, DECIBELS), min_size=2, max_size=30))
def test_moments_are_those_of_the_differences(pairs):
    one, other = np.array(pairs).T
    found = Paired.of(list(one), list(other))
    np.testing.assert_allclose(found.mean, np.mean(one - other), atol=1e-12)
    assert found.deviation is not None and found.standard_error is not None
    np.testing.assert_allclose(found.deviation, np.std(one - other, ddof=1), atol=1e-9)
    np.testing.assert_allclose(found.standard_error, stats.sem(one - other), atol=1e-9)
    assert found.above == np.count_nonzero(one > other)


def test_the_test_counts_every_choice_of_signs():
    """Exact Wilcoxon by hand: the share of all sign patterns at least as far from the middle."""
    differences = [0.31, -0.04, 0.12, 0.27, 0.09, -0.15]
    ranks = np.argsort(np.argsort(np.abs(differences))) + 1
    signs = np.array(np.meshgrid(*[[0, 1]] * 6)).reshape(6, -1).T
    sums = signs @ ranks
    observed = ranks[np.array(differences) > 0].sum()
    wanted = np.mean(np.abs(sums - ranks.sum() / 2) >= abs(observed - ranks.sum() / 2))
    assert Paired(tuple(differences)).p_value == pytest.approx(wanted)


def test_one_pair_has_no_deviation():
    found = Paired.of([31.0], [30.5])
    assert (found.mean, found.deviation, found.standard_error) == (0.5, None, None)


def test_nothing_that_differs_has_no_test():
    assert Paired.of([30.0, 31.0], [30.0, 31.0]).p_value is None


@pytest.mark.parametrize(("one", "other"), [([1.0], [1.0, 2.0]), ([], [])])
def test_scores_that_cannot_be_paired(one, other):
    with pytest.raises(QuantlibError, match="cannot be paired"):
        Paired.of(one, other)
