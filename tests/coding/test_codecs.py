"""Every codec: exact, real bytes, and one sentence for what cannot be decoded."""

import sys
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from quantlib.coding.codecs import CODECS, RAW, Layout, MissingCodecError, raw_size
from quantlib.coding.packing import code_range
from quantlib.errors import QuantlibError
from tests.examples import examples

codecs = pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)


@st.composite
def cases(draw):
    bits, signed = draw(st.integers(1, 8)), draw(st.booleans())
    shape = draw(st.tuples(st.integers(0, 5), st.integers(0, 60)))
    low, high = code_range(bits, signed)
    symbols = draw(arrays(np.int32, shape, elements=st.integers(low, high) | st.just(0)))
    return symbols, Layout(shape, bits, signed)


@codecs
@examples(100)
@given(case=cases())
def test_round_trip(codec, case):
    symbols, layout = case
    payload = codec.encode(symbols, layout)
    assert isinstance(payload, bytes)
    back = codec.decode(payload, layout)
    assert back.dtype == np.int32
    np.testing.assert_array_equal(back, symbols, strict=True)


def layout_of(symbols: np.ndarray) -> Layout:
    channels, elements = symbols.shape
    return Layout((channels, elements), 3, True)


def laplace(bits: int = 3, channels: int = 5, elements: int = 20_000) -> np.ndarray:
    random = np.random.default_rng(1)
    spread = np.linspace(0.2, 1.5, channels)[:, None]
    drawn = random.laplace(0, 1, (channels, elements)) * spread
    low, high = code_range(bits, signed=True)
    return drawn.round().clip(low, high).astype(np.int32)


@codecs
def test_lengths_lie_between_the_entropy_and_what_packing_takes(codec):
    """Independent symbols: no codec can beat the entropy of every channel, by NumPy alone."""
    symbols = laplace()
    bits = 0.0
    for row in symbols:
        counts = np.unique(row, return_counts=True)[1]
        bits += float(counts @ np.log2(row.size / counts))
    layout = layout_of(symbols)
    spent = 8 * len(codec.encode(symbols, layout))
    assert bits < spent <= 8 * raw_size(layout)


def test_packing_takes_what_it_says():
    layout = Layout((3, 7), 5, False)
    assert len(RAW.encode(np.zeros((3, 7), int), layout)) == raw_size(layout) == 14


def test_zlib_reads_deflate():
    symbols = laplace()
    layout = layout_of(symbols)
    deflate = next(codec for codec in CODECS if codec.name == "deflate")
    fields = zlib.decompress(deflate.encode(symbols, layout))
    assert fields == (symbols & 7).astype(np.uint8).tobytes()


@codecs
def test_truncation_is_noticed(codec):
    symbols = laplace(elements=200)
    layout = layout_of(symbols)
    payload = codec.encode(symbols, layout)
    for end in range(0, len(payload), 3):
        with pytest.raises(QuantlibError):
            codec.decode(payload[:end], layout)


@codecs
def test_another_layout_is_noticed(codec):
    symbols = laplace(elements=200)
    payload = codec.encode(symbols, layout_of(symbols))
    with pytest.raises(QuantlibError):
        codec.decode(payload, Layout((5, 208), 3, True))


@codecs
@examples(100)
@given(payload=st.binary(max_size=60))
def test_random_bytes_end_in_symbols_or_a_sentence(codec, payload):
    try:
        assert codec.decode(payload, Layout((2, 9), 3, True)).shape == (2, 9)
    except QuantlibError as error:
        assert "\n" not in str(error)


@codecs
@pytest.mark.parametrize("symbols", [np.full((2, 3), 4), np.full((2, 3), -5)])
def test_symbols_outside_the_layout(codec, symbols):
    with pytest.raises(QuantlibError, match="no 6 symbols of 3 bits"):
        codec.encode(symbols, Layout((2, 3), 3, True))


@codecs
@pytest.mark.parametrize("symbols", [np.zeros((3, 2), int), np.zeros(6, int), np.zeros((2, 3))])
def test_other_arrays(codec, symbols):
    with pytest.raises(QuantlibError, match="no integers of shape"):
        codec.encode(symbols, Layout((2, 3), 3, True))


def test_without_pyarrow(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    zstandard = CODECS[-1]
    with pytest.raises(MissingCodecError, match="comes with Streamlit"):
        zstandard.encode(np.zeros((1, 1), int), Layout((1, 1), 1, False))
