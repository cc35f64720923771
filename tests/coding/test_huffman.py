import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from bitarray.util import canonical_huffman, huffman_code
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from quantlib.coding import code_words, huffman
from quantlib.coding.huffman import decode, encode, payload_size
from quantlib.coding.prefix_code import canonical_codes, code_lengths, code_table
from quantlib.errors import QuantlibError
from tests.examples import examples

COUNTS = st.lists(st.integers(0, 10_000) | st.integers(0, 5), min_size=1, max_size=256)
FIBONACCI = [1, 1]
while len(FIBONACCI) < 80:
    FIBONACCI.append(FIBONACCI[-1] + FIBONACCI[-2])


def counts_of(symbols: np.ndarray) -> np.ndarray:
    return np.bincount(symbols.ravel(), minlength=256)


@examples(100)
@given(
    arrays(
        np.uint8,
        array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=40),
        elements=st.integers(0, 255) | st.integers(0, 3),
    )
)
def test_round_trip_and_announced_size(symbols):
    payload = encode(symbols)
    back = decode(payload)
    assert back.dtype == np.uint8
    np.testing.assert_array_equal(back, symbols.ravel())
    assert payload_size(counts_of(symbols)).total == len(payload)


@pytest.mark.parametrize("spread", [0.3, 1.5, 20, 1000])
@pytest.mark.parametrize("size", [1, 7, 100_000, 300_000])
def test_round_trip_over_block_borders(size, spread):
    draws = np.random.default_rng(size).normal(100, spread, size)
    symbols = np.clip(draws, 0, 255).astype(np.uint8)
    payload = encode(symbols)
    np.testing.assert_array_equal(decode(payload), symbols)
    assert payload_size(counts_of(symbols)).total == len(payload)


@examples(100)
@given(COUNTS)
def test_lengths_are_optimal(counts):
    lengths = code_lengths(np.array(counts))
    present = {s: n for s, n in enumerate(counts) if n}
    total = sum(present.values())
    if len(present) < 2:
        assert not lengths.any()
        return
    ours = sum(n * int(lengths[s]) for s, n in present.items())
    words = huffman_code(present)
    best = sum(n * len(words[s]) for s, n in present.items())
    assert ours == best
    assert sum(2.0 ** -int(n) for n in lengths if n) == 1
    entropy = sum(n * math.log2(total / n) for n in present.values()) / total
    assert FIBONACCI[int(lengths.max()) + 1] <= total  # what MAX_LENGTH rests on
    assert entropy - 1e-9 <= ours / total < entropy + 1


@examples(60)
@given(COUNTS.filter(lambda counts: sum(n > 0 for n in counts) > 1))
def test_words_are_canonical(counts):
    table = code_table(np.array(counts))
    words = [word.code for word in table]
    assert {word.symbol: word.count for word in table} == {s: n for s, n in enumerate(counts) if n}
    assert [len(w) for w in words] == sorted(len(w) for w in words)
    assert words == sorted(words)
    assert not any(b.startswith(a) for a, b in pairwise(words))


def test_words_against_bitarray():
    # Counts with one optimal set of lengths only.
    counts = {s: 2**s for s in range(12)}
    expected, _, _ = canonical_huffman(counts)
    assert {w.symbol: w.code for w in code_table(np.array(list(counts.values())))} == {
        s: word.to01() for s, word in expected.items()
    }


def test_fibonacci_counts_make_the_longest_words():
    lengths = code_lengths(np.array(FIBONACCI))
    assert lengths.max() == len(FIBONACCI) - 1
    assert canonical_codes(lengths)[0].bit_length() == len(FIBONACCI) - 1
    size = payload_size(np.array(FIBONACCI))
    bits = sum(n * int(length) for n, length in zip(FIBONACCI, lengths, strict=True))
    assert size.data == -(-bits // 8)


def test_words_longer_than_the_window():
    symbols = np.repeat(np.arange(26, dtype=np.uint8), FIBONACCI[:26])
    np.random.default_rng(1).shuffle(symbols)
    assert code_lengths(counts_of(symbols)).max() == 25 > code_words.WINDOW
    payload = encode(symbols)
    np.testing.assert_array_equal(decode(payload), symbols)
    assert payload_size(counts_of(symbols)).total == len(payload)


def test_longest_possible_word_is_allowed():
    assert FIBONACCI[huffman.MAX_LENGTH + 2] > huffman.MAX_SYMBOLS


@pytest.mark.parametrize("size", [1, 2, 127, 128, 100_000])
def test_one_symbol_needs_no_data(size):
    symbols = np.full(size, 200, np.uint8)
    payload = encode(symbols)
    np.testing.assert_array_equal(decode(payload), symbols)
    counts = counts_of(symbols)
    assert payload_size(counts).total == len(payload) <= 5
    assert payload_size(counts).data == 0
    assert [(w.symbol, w.code) for w in code_table(counts)] == [(200, "")]


def test_nothing_at_all():
    assert encode(np.zeros((0, 4), np.uint8)) == b"\0"
    assert decode(b"\0").size == 0
    assert payload_size(np.zeros(0, int)).total == payload_size(np.zeros(9, int)).total == 1
    assert code_table(np.zeros(4, int)) == []


@pytest.mark.parametrize(
    "counts", [np.array([1, -1]), np.array([0.5, 1]), np.ones(257, int), np.ones((2, 2), int)]
)
def test_impossible_counts(counts):
    with pytest.raises(QuantlibError, match="counts"):
        payload_size(counts)


def test_other_types_and_too_many_symbols(monkeypatch):
    with pytest.raises(QuantlibError, match="uint8"):
        encode(np.zeros(3, np.int16))
    monkeypatch.setattr(huffman, "MAX_SYMBOLS", 10)
    with pytest.raises(QuantlibError, match="several parts"):
        encode(np.zeros(11, np.uint8))


def sample_payload() -> bytes:
    return encode(np.random.default_rng(3).binomial(9, 0.3, 500).astype(np.uint8))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x80",
        b"\xff" * 12,
        b"\x81\x00",  # a number with a needless byte
        b"\0\0",  # bytes after nothing
        b"\x05",
        b"\x05\x03",
        b"\x05\x03\x00\x00",  # one symbol and data
        b"\xff\xff\xff\xff\x0f\x03\x00",  # 4 GiB of one symbol
        b"\x05\x03\x02",  # no code lengths
        b"\x05\x03\x07" + bytes(4),  # wider than the longest length
        b"\x05\x03\x01\x0f\x00",  # four words of one bit
        b"\x05\x03\x02\x45\x00",  # the largest symbol without a word
        b"\x05\x03\x02\xa0\x00",  # words of 2 bits, two missing
        b"\x05\x01\x01\x03",  # no data
        b"\x05\x01\x01\x03\x00\x00",  # a byte too many
        b"\x05\x01\x01\x03\x01",  # padding that is not zero
        b"\xff\xff\xff\x1f\x01\x01\x03\x00",  # 64 Mi symbols in one byte
    ],
)
def test_impossible_payloads(payload):
    with pytest.raises(QuantlibError, match="damaged"):
        decode(payload)


def test_every_truncation_and_every_trailing_byte():
    payload = sample_payload()
    for length in range(len(payload)):
        with pytest.raises(QuantlibError):
            decode(payload[:length])
    with pytest.raises(QuantlibError):
        decode(payload + b"\0")


@examples(300)
@given(st.binary(max_size=60) | st.binary(max_size=20).map(lambda tail: b"\x14\x03\x02" + tail))
def test_random_bytes_end_in_an_array_or_a_sentence(payload):
    try:
        out = decode(payload)
    except QuantlibError:
        return
    assert out.dtype == np.uint8


@examples(200)
@given(st.data())
def test_flipped_bytes_end_in_an_array_or_a_sentence(data):
    payload = bytearray(sample_payload())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(payload) - 1))
        payload[at] = data.draw(st.integers(0, 255))
    try:
        out = decode(bytes(payload))
    except QuantlibError:
        return
    assert out.size <= 8 * len(payload) or payload[2 if payload[0] < 128 else 3] == 0


def test_payload_follows_its_description():
    symbols = np.frombuffer(b"abracadabra", np.uint8) - ord("a")
    payload = encode(symbols)
    words = {w.symbol: w.code for w in code_table(counts_of(symbols))}
    assert Counter(symbols.tolist()) == {w.symbol: w.count for w in code_table(counts_of(symbols))}
    assert payload[:3] == bytes([11, 17, 2])
    size = payload_size(counts_of(symbols))
    assert size.table == 3 + -(-18 * 2 // 8)
    text = "".join(words[s] for s in symbols.tolist())
    text += "0" * (-len(text) % 8)
    assert payload[size.table :] == int(text, 2).to_bytes(len(text) // 8, "big")
