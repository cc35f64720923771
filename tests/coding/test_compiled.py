"""Compiled kernels against the plain forms: the same bytes, symbols and errors."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from quantlib.coding import ans, compiled, huffman
from quantlib.coding.packing import code_range, pack, unpack
from quantlib.errors import QuantlibError
from tests.examples import examples

SYMBOLS = arrays(
    np.uint8, st.integers(0, 600), elements=st.integers(0, 255) | st.integers(0, 3) | st.just(7)
)


@pytest.fixture(scope="module", autouse=True)
def kernels():
    assert compiled.warm()


def both(work: Callable) -> Any:
    """What `work` returns compiled and plain, or the sentence it ends in."""
    with mock.patch.object(compiled, "kernels", lambda: None):
        plain = outcome(work)
    assert compiled.kernels() is not None
    return outcome(work), plain


def outcome(work: Callable) -> Any:
    try:
        return work()
    except QuantlibError as error:
        return str(error)


def same(work: Callable) -> Any:
    """What both forms return, compared."""
    found, plain = both(work)
    if isinstance(plain, np.ndarray):
        np.testing.assert_array_equal(found, plain, strict=True)
    else:
        assert found == plain
    return plain


@examples(200)
@given(SYMBOLS)
def test_huffman(symbols):
    payload = same(lambda: huffman.encode(symbols))
    np.testing.assert_array_equal(same(lambda: huffman.decode(payload)), symbols)


@pytest.mark.parametrize("size", [1, 7, 8, 9, 4000, 70_000])
@pytest.mark.parametrize("spread", [0.2, 3, 40])
def test_huffman_of_many(size, spread):
    """Short and long tables of the decoder, and words of 1 to 8 bits and more."""
    drawn = np.random.default_rng(size).normal(100, spread, size)
    symbols = drawn.clip(0, 255).astype(np.uint8)
    payload = same(lambda: huffman.encode(symbols))
    np.testing.assert_array_equal(same(lambda: huffman.decode(payload)), symbols)


def test_huffman_words_longer_than_the_table():
    numbers = [1, 1]
    while len(numbers) < 26:
        numbers.append(numbers[-1] + numbers[-2])
    symbols = np.repeat(np.arange(26, dtype=np.uint8), numbers)
    for order in (symbols, symbols[::-1].copy(), np.random.default_rng(0).permutation(symbols)):
        payload = same(lambda order=order: huffman.encode(order))
        np.testing.assert_array_equal(huffman.decode(payload), order)
        for end in (len(payload) - 9, len(payload) - 1):
            same(lambda: huffman.decode(payload[:end]))  # noqa: B023


@examples(200)
@given(SYMBOLS, st.lists(st.tuples(st.integers(0, 900), st.integers(0, 255)), max_size=4))
def test_damaged_huffman(symbols, damage):
    payload = bytearray(huffman.encode(symbols))
    for at, byte in damage:
        payload[at % len(payload)] = byte
    same(lambda: huffman.decode(bytes(payload)))


@examples(200)
@given(
    arrays(np.int32, st.tuples(st.integers(0, 4), st.integers(0, 200)), elements=st.integers(-9, 9))
    | arrays(np.int32, (2, 100), elements=st.integers(-20_000, 20_000)),
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 255)), max_size=3),
)
def test_ans(rows, damage):
    """The kernel reads what `constriction` has written, and is as wary as it."""
    payload = bytearray(ans.encode(rows))
    np.testing.assert_array_equal(same(lambda: ans.decode(bytes(payload))), rows)
    for at, byte in damage:
        payload[at % len(payload)] = byte
    same(lambda: ans.decode(bytes(payload)))


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int16", "int32", "int64"])
@pytest.mark.parametrize("size", [1, 8, 13, 4095, 4096, 4097, 9000])
def test_packing(dtype, size):
    for bits in range(1, 9):
        for signed in (False, True):
            low, high = code_range(bits, signed)
            ends = (0, 1) if dtype == "bool" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
            smallest, largest = max(low, ends[0]), min(high, ends[1])
            drawn = np.random.default_rng(size).integers(smallest, largest + 1, size)
            codes = drawn.astype(dtype)
            payload = same(lambda c=codes, b=bits, s=signed: pack(c, b, s))
            if isinstance(payload, bytes):
                back = same(lambda p=payload, b=bits, s=signed: unpack(p, b, s, (size,)))
                np.testing.assert_array_equal(back, codes)


@pytest.mark.parametrize("place", [0, 4096, 9999])
@pytest.mark.parametrize("code", [-5, 4, 1000])
def test_a_code_that_does_not_fit(place, code):
    codes = np.zeros(10_000, np.int16)
    codes[place] = code
    assert "do not fit -4 to 3" in same(lambda: pack(codes, 3, signed=True))


def test_many_codes_in_parts(monkeypatch):
    monkeypatch.setattr("quantlib.coding.packing.MANY", 100)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    codes = np.random.default_rng(0).integers(-4, 4, (11, 11))
    for size in (100, 120, 121):
        own = codes.ravel()[:size].astype(np.int16)
        payload = same(lambda own=own: pack(own, 3, signed=True))
        np.testing.assert_array_equal(same(lambda: unpack(payload, 3, True, own.shape)), own)  # noqa: B023
    own[50] = 7
    assert "do not fit" in same(lambda: pack(own, 3, signed=True))


USE = """
import sys
import numpy as np
from quantlib.coding import compiled, huffman
assert "numba" not in sys.modules
payload = huffman.encode(np.arange(100, dtype=np.uint8))
assert compiled.warm() is False
assert (huffman.decode(payload) == np.arange(100)).all()
assert "quantlib.coding.kernels" not in sys.modules
"""


@pytest.mark.parametrize("missing", [False, True])
def test_without_numba(missing):
    source = f"import sys; sys.modules['numba'] = None\n{USE}" if missing else USE
    source = source.replace('"numba" not in sys.modules', "True") if missing else source
    environment = os.environ | ({} if missing else {"BITLENS_COMPILED": "0"})
    done = subprocess.run([sys.executable, "-c", source], env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    assert (b"run uncompiled" in done.stderr) is missing
