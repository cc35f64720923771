"""Round trips, lengths against the entropy, and damaged payloads."""

from typing import Any

import constriction
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from quantlib.coding import ans
from quantlib.coding.varint import read_varint, varint
from quantlib.errors import QuantlibError

INTEGERS = arrays(
    np.int32,
    array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=40),
    elements=st.integers(-300, 300),
)


@settings(deadline=None)
@given(INTEGERS)
def test_round_trip(rows):
    payload = ans.encode(rows)
    assert np.array_equal(ans.decode(payload), rows)
    assert 0 < ans.table_bytes(payload) <= len(payload)


@pytest.mark.parametrize("spread", [0.2, 1.0, 20.0])
def test_the_length_is_the_entropy(spread):
    """Against the empirical entropy of every row, by NumPy alone."""
    random = np.random.default_rng(1)
    rows = random.laplace(0, spread, (6, 20_000)).round().astype(int)
    bits = 0.0
    for row in rows:
        counts = np.unique(row, return_counts=True)[1]
        bits += float(counts @ np.log2(row.size / counts))
    payload = ans.encode(rows)
    words = 8 * (len(payload) - ans.table_bytes(payload))
    assert bits - 64 <= words <= 1.004 * bits + 64


def test_words_against_the_decoder_of_constriction():
    """A payload read by hand, as its description says."""
    rows = np.array([[3, 3, 3], [0, 1, 0]])
    payload = ans.encode(rows)
    numbers, at = [], 0
    for _ in range(9):
        number, at = read_varint(payload, at)
        numbers.append(number)
    assert numbers[:7] == [2, 3, 6, 1, 0, 2, round(2 / 3 * 4096)]
    assert numbers[8] * 4 == len(payload) - at
    shares = np.array(numbers[6:8]) / sum(numbers[6:8])
    stream: Any = constriction.stream  # type: ignore[attr-defined]
    coder = stream.stack.AnsCoder(np.frombuffer(payload[at:], "<u4"))
    model = stream.model.Categorical(shares, perfect=False)
    assert coder.decode(model, 3).tolist() == [0, 1, 0]


def test_rows_of_one_value_cost_no_words():
    payload = ans.encode(np.full((4, 1000), -3))
    assert len(payload) == ans.table_bytes(payload) == 1 + 2 + 4 * 2 + 1


@pytest.mark.parametrize("rows", [np.zeros(3, int), np.zeros((2, 2)), np.zeros((1, 2, 2), int)])
def test_other_arrays(rows):
    with pytest.raises(QuantlibError, match=r"integers in rows, an array \(R, N\)"):
        ans.encode(rows)


def test_rows_that_span_too_much():
    with pytest.raises(QuantlibError, match="choose larger steps"):
        ans.encode(np.array([[0, 1 << 20]]))


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.uint8, np.uint16, np.uint64])
def test_rows_that_span_their_type(dtype):
    information = np.iinfo(dtype)
    low, high = max(information.min, -30000), min(information.max, 30000)
    rows = np.array([[low, high, 0, low]], dtype)
    assert np.array_equal(ans.decode(ans.encode(rows)), rows)


@pytest.mark.parametrize("number", [(1 << 31) - 1, -(1 << 31)])
def test_the_ends_of_32_bits(number):
    rows = np.array([[number, number], [number, number + (1 if number < 0 else -1)]])
    assert np.array_equal(ans.decode(ans.encode(rows)), rows)


@pytest.mark.parametrize("number", [1 << 31, -(1 << 31) - 1, 1 << 62])
def test_integers_of_more_than_32_bits(number):
    with pytest.raises(QuantlibError, match="32 bits"):
        ans.encode(np.array([[number]]))


def test_what_decoding_refuses_is_not_encoded(monkeypatch):
    rows = np.full((1, 1000), 3)
    monkeypatch.setattr(ans, "FREE_SYMBOLS", 999)
    with pytest.raises(QuantlibError, match="1000 integers are too many"):
        ans.encode(rows)
    monkeypatch.setattr(ans, "FREE_SYMBOLS", 1000)
    assert np.array_equal(ans.decode(ans.encode(rows)), rows)


def test_rows_longer_than_a_block(monkeypatch):
    rows = np.random.default_rng(3).integers(-5, 5, (2, 100))
    payload = ans.encode(rows)
    monkeypatch.setattr(ans, "BLOCK", 7)
    assert np.array_equal(ans.decode(payload), rows)


def sample() -> bytes:
    rows = np.random.default_rng(2).integers(-2, 3, (3, 200))
    return ans.encode(rows)


def test_every_truncation_is_noticed():
    payload = sample()
    for end in range(len(payload)):
        with pytest.raises(QuantlibError, match="cut off or damaged"):
            ans.decode(payload[:end])
    with pytest.raises(QuantlibError, match="cut off or damaged"):
        ans.decode(payload + b"\0\0\0\0")


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_random_bytes_end_in_an_array_or_a_sentence(payload):
    try:
        assert ans.decode(payload).ndim == 2
    except QuantlibError as error:
        assert "damaged" in str(error)


@settings(deadline=None)
@given(st.data())
def test_flipped_bytes_end_in_an_array_or_a_sentence(data):
    payload = bytearray(sample())
    at = data.draw(st.integers(0, len(payload) - 1))
    payload[at] ^= data.draw(st.integers(1, 255))
    try:
        assert ans.decode(bytes(payload)).ndim == 2
    except QuantlibError as error:
        assert "damaged" in str(error)


@settings(deadline=None)
@given(st.integers(0, (1 << 35) - 1), st.binary(max_size=3), st.binary(max_size=3))
def test_numbers_of_variable_length(number, before, after):
    payload = before + varint(number) + after
    assert read_varint(payload, len(before)) == (number, len(payload) - len(after))


def test_no_number():
    for payload in (b"", b"\x80", b"\x80\x00", b"\xff" * 6):
        with pytest.raises(ValueError, match="variable length"):
            read_varint(payload)
