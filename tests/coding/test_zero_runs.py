"""Round trips, symbols against runs spelled one by one, and damaged payloads."""

from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from quantlib.coding import huffman, zero_runs
from quantlib.coding.varint import read_varint, varint
from quantlib.errors import QuantlibError
from tests.examples import examples

INTEGERS = arrays(
    np.int32,
    array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=30),
    elements=st.just(0) | st.integers(-3, 3) | st.integers(-(1 << 31), (1 << 31) - 1),
)


def by_hand(integers: list[int]) -> tuple[list[int], list[int]]:
    """Symbols and escaped zigzag numbers, run after run."""
    symbols, escaped = [], []
    for is_zero, run in groupby(integers, key=lambda number: number == 0):
        found = list(run)
        if is_zero:
            symbols += [int(digit) for digit in f"{len(found) + 1:b}"[:0:-1]]
            continue
        for number in found:
            zigzag = 2 * number if number > 0 else -2 * number - 1
            symbols.append(min(zigzag + 1, 255))
            escaped += [zigzag] if zigzag > 253 else []
    return symbols, escaped


@examples(200)
@given(INTEGERS)
def test_round_trip(integers):
    back = zero_runs.decode(zero_runs.encode(integers))
    assert back.dtype == np.int32
    np.testing.assert_array_equal(back, integers.ravel())


@examples(200)
@given(INTEGERS.filter(lambda integers: integers.size > 0))
def test_symbols_against_runs_spelled_one_by_one(integers):
    payload = zero_runs.encode(integers)
    count, at = read_varint(payload)
    length, at = read_varint(payload, at)
    symbols, escaped = by_hand(integers.ravel().tolist())
    assert count == integers.size
    assert huffman.decode(payload[at : at + length]).tolist() == symbols
    assert payload[at + length :] == b"".join(map(varint, escaped))


@pytest.mark.parametrize("run", [1, 2, 3, 7, 8, 255, 256, 1_000_000])
def test_long_runs(run):
    integers = np.concatenate([np.zeros(run, int), [7], np.zeros(run, int)])
    payload = zero_runs.encode(integers)
    np.testing.assert_array_equal(zero_runs.decode(payload), integers)
    assert len(payload) < 30


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.int64, np.uint64])
def test_every_type_of_integer(dtype):
    integers = np.arange(100, dtype=dtype)
    np.testing.assert_array_equal(zero_runs.decode(zero_runs.encode(integers)), integers)


def test_runs_of_zeros_take_fewer_bytes_than_a_code_word_each():
    integers = (np.random.default_rng(0).random(100_000) > 0.98).astype(int)
    assert len(zero_runs.encode(integers)) < len(huffman.encode(integers.astype(np.uint8))) / 4


@pytest.mark.parametrize("integers", [np.zeros(3), np.zeros(3, bool), np.array(["a"])])
def test_other_types(integers):
    with pytest.raises(QuantlibError, match="Zero runs code integers, not"):
        zero_runs.encode(integers)


@pytest.mark.parametrize("number", [1 << 31, -(1 << 31) - 1, 1 << 62])
def test_integers_of_more_than_32_bits(number):
    with pytest.raises(QuantlibError, match="32 bits"):
        zero_runs.encode(np.array([number]))


def test_too_many():
    many = np.broadcast_to(np.int8(0), zero_runs.MAX_SYMBOLS + 1)
    with pytest.raises(QuantlibError, match="in several parts"):
        zero_runs.encode(many)


def sample() -> bytes:
    random = np.random.default_rng(2)
    integers = random.integers(-2, 3, 300) * random.integers(0, 2, 300)
    integers[::40] = 1000 + np.arange(8)
    return zero_runs.encode(integers)


def test_every_truncation_is_noticed():
    payload = sample()
    for end in range(len(payload)):
        with pytest.raises(QuantlibError, match="damaged"):
            zero_runs.decode(payload[:end])
    with pytest.raises(QuantlibError, match="damaged"):
        zero_runs.decode(payload + b"\0")


def test_an_announced_size_that_no_payload_has():
    for payload in (varint(zero_runs.MAX_SYMBOLS + 1) + varint(0), varint(0) + b"\0"):
        with pytest.raises(QuantlibError, match="damaged"):
            zero_runs.decode(payload)


def test_a_run_that_no_array_has():
    digits = huffman.encode(np.ones(200, np.uint8))
    with pytest.raises(QuantlibError, match="damaged"):
        zero_runs.decode(varint(5) + varint(len(digits)) + digits)


@pytest.mark.parametrize("number", [0, 253, 1 << 32])
def test_an_escape_that_no_encoder_writes(number):
    symbols = huffman.encode(np.array([255], np.uint8))
    with pytest.raises(QuantlibError, match="damaged"):
        zero_runs.decode(varint(1) + varint(len(symbols)) + symbols + varint(number))


@examples(300)
@given(st.binary(max_size=60))
def test_random_bytes_end_in_an_array_or_a_sentence(payload):
    try:
        assert zero_runs.decode(payload).ndim == 1
    except QuantlibError as error:
        assert "damaged" in str(error)


@examples(300)
@given(st.data())
def test_flipped_bytes_end_in_an_array_or_a_sentence(data):
    payload = bytearray(sample())
    at = data.draw(st.integers(0, len(payload) - 1))
    payload[at] ^= data.draw(st.integers(1, 255))
    try:
        assert zero_runs.decode(bytes(payload)).ndim == 1
    except QuantlibError as error:
        assert "damaged" in str(error)
