"""Claims are held against bounds before memory is taken, by every decoder."""

from pathlib import Path

import numpy as np
import pytest

from quantlib.coding import ans, huffman, zero_runs
from quantlib.coding.ans import FREE_SYMBOLS
from quantlib.coding.claims import most_symbols
from quantlib.coding.varint import varint
from quantlib.errors import QuantlibError
from tests.fuzz import payloads
from tests.fuzz.measuring import ERROR, RIGHT

DECODERS = {
    "huffman": (huffman.encode, huffman.decode),
    "zero runs": (zero_runs.encode, zero_runs.decode),
    "ans": (lambda symbols: ans.encode(symbols[None]), ans.decode),
}


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is read from /proc")
def test_mutated_payloads():
    """The short form of `python -m tests.fuzz --payloads 4000`."""
    came = payloads.ENGINE.run(180, seed=1)
    assert all(outcome.is_handled for outcome in came), came
    kinds = [outcome.kind for outcome in came]
    assert kinds.count(ERROR) > 60 and kinds.count(RIGHT) > 20


@pytest.mark.parametrize("name", DECODERS)
def test_a_limit_of_the_caller(name):
    encode, decode = DECODERS[name]
    payload = encode(np.full(1000, 3, np.uint8))
    assert decode(payload, 1000).size == 1000
    with pytest.raises(
        QuantlibError, match=r"announces 1000 symbols where 999 are allowed; .*limit"
    ):
        decode(payload, 999)


@pytest.mark.parametrize(
    ("decode", "payload"),
    [
        (huffman.decode, varint(huffman.MAX_SYMBOLS + 1) + bytes([3, 0])),
        (zero_runs.decode, varint(zero_runs.MAX_SYMBOLS + 1) + varint(0)),
        (ans.decode, varint(1) + varint(FREE_SYMBOLS + 1) + bytes([6, 1, 0])),
        (ans.decode, varint(5) + varint(FREE_SYMBOLS // 4) + bytes([6, 1] * 5 + [0])),
    ],
)
def test_more_than_a_few_bytes_may_announce(decode, payload):
    with pytest.raises(QuantlibError, match="are allowed; it is damaged"):
        decode(payload)


def test_long_payloads_may_announce_more():
    assert most_symbols(bytes(10), free=1000) == 1000
    assert most_symbols(bytes(100), free=1000) == 3200


def test_a_run_across_blocks_of_symbols(monkeypatch):
    monkeypatch.setattr(zero_runs, "BLOCK", 3)
    integers = np.zeros(3000, int)
    integers[[5, 6, 7, 8, 9, 600, 1900]] = [1, -2, 3, 1000, 4, -900, 5]
    np.testing.assert_array_equal(zero_runs.decode(zero_runs.encode(integers)), integers)
