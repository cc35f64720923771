"""The blind test: its rounds, its score, and the probability of it."""

import json
from collections import Counter

import pytest
from scipy.stats import binom, binomtest

from pages.parts.compare.blind import (
    QUESTIONS,
    ROUNDS,
    SIDES,
    WHICH_BETTER,
    WHICH_IS,
    BlindTest,
    as_uneven,
    at_least,
    drawn,
)

OTHERS = ["2 bit", "3 bit", "4 bit"]


def a_test(seed: int = 0, question=WHICH_IS) -> BlindTest:
    return drawn(question, "FP32", OTHERS, (60, 90), 32, seed)


def answered(test: BlindTest, right: int) -> BlindTest:
    """With `right` rounds in which FP32 is chosen, the first ones."""
    while test.current is not None:
        wanted = len(test.answers) < right
        test = test.answered("A" if (test.current.a == "FP32") == wanted else "B")
    return test


@pytest.mark.parametrize("rounds", [1, 2, 9, 10, 25])
def test_the_probability_is_the_binomial_tail(rounds):
    for score in range(rounds + 1):
        assert at_least(score, rounds) == pytest.approx(binom.sf(score - 1, rounds, 0.5), rel=1e-12)
        both = binomtest(score, rounds, 0.5).pvalue
        assert as_uneven(score, rounds) == pytest.approx(both, rel=1e-9)


def test_a_seed_gives_the_same_rounds_and_another_others():
    assert a_test(1) == a_test(1)
    assert a_test(1).rounds != a_test(2).rounds
    assert len(a_test().rounds) == ROUNDS == 10


def test_opponents_order_and_place_are_all_drawn():
    rounds = [one for seed in range(60) for one in a_test(seed).rounds]
    assert all({one.a, one.b} & {"FP32"} and one.a != one.b for one in rounds)
    first = Counter(one.a == "FP32" for one in rounds)
    assert binomtest(first[True], len(rounds), 0.5).pvalue > 0.001
    against = Counter(one.b if one.a == "FP32" else one.a for one in rounds)
    assert against.keys() == set(OTHERS) and min(against.values()) > len(rounds) / 4
    assert {one.top for one in rounds} == set(range(60 - 32 + 1))
    assert {one.left for one in rounds} == set(range(90 - 32 + 1))


@pytest.mark.parametrize("right", [0, 5, 8, 10])
def test_the_score_counts_what_was_chosen(right):
    test = answered(a_test(3), right)
    assert test.score == right and test.probability == at_least(right, 10)
    assert f"found in {right} of 10 rounds" in test.sentence
    given = zip(test.rounds, test.answers, strict=True)
    assert test.chosen == [one.name(side) for one, side in given]
    assert test.answered("A") == test


def test_liking_has_no_right_answer():
    test = answered(a_test(4, WHICH_BETTER), 2)
    assert test.probability == as_uneven(2, 10) > at_least(8, 10)
    assert "liked better in 2 of 10 rounds" in test.sentence


def test_the_result_tells_all_and_gives_the_test_again():
    test = answered(a_test(5), 7)
    told = json.loads(json.dumps(test.as_json()))
    again = drawn(
        *(QUESTIONS[told["question"]], told["counted"], told["against"], (60, 90), 32, told["seed"])
    )
    assert again.rounds == test.rounds
    assert (told["score"], told["of"]) == (7, 10)
    assert told["probability_under_chance"] == at_least(7, 10)
    assert [row["answer"] for row in told["rounds"]] == list(test.answers)
    assert all(row[row["answer"]] == row["chosen"] for row in told["rounds"])
    assert {row["answer"] for row in told["rounds"]} <= set(SIDES)
