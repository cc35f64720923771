"""The short form of `python -m tests.fuzz --weights 600`."""

from tests.fuzz import graphs, weights
from tests.fuzz.measuring import ERROR, RIGHT


def test_damaged_weights_end_in_a_sentence_or_a_network_that_works() -> None:
    came = weights.ENGINE.run(40, seed=1)
    assert all(outcome.is_handled for outcome in came), came
    kinds = [outcome.kind for outcome in came]
    assert kinds.count(ERROR) > 10 and kinds.count(RIGHT) > 1


def test_damaged_graphs_end_in_a_sentence_or_a_network_that_works() -> None:
    came = graphs.ENGINE.run(40, seed=1)
    assert all(outcome.is_handled for outcome in came), came
    kinds = [outcome.kind for outcome in came]
    assert kinds.count(ERROR) > 10 and kinds.count(RIGHT) > 1
