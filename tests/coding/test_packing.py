import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from quantlib.coding.packing import code_range, pack, packed_size, unpack
from quantlib.errors import QuantlibError
from tests.examples import examples


@st.composite
def packed_inputs(draw):
    bits, signed = draw(st.integers(1, 8)), draw(st.booleans())
    low, high = code_range(bits, signed)
    shape = draw(array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=9))
    codes = draw(arrays(np.int16, shape, elements=st.integers(low, high)))
    return codes, bits, signed


def one_big_number(codes: np.ndarray, bits: int) -> bytes:
    """The same stream as one integer, by its definition."""
    number = sum((int(c) % (1 << bits)) << (i * bits) for i, c in enumerate(codes.ravel()))
    return number.to_bytes((codes.size * bits + 7) // 8, "little")


@examples(150)
@given(packed_inputs())
def test_round_trip_and_layout(given_codes):
    codes, bits, signed = given_codes
    payload = pack(codes, bits, signed)
    assert payload == one_big_number(codes, bits)
    assert len(payload) == packed_size(codes.size, bits)
    back = unpack(payload, bits, signed, codes.shape)
    assert back.dtype == np.int16
    assert back.shape == codes.shape
    np.testing.assert_array_equal(back, codes)


@pytest.mark.parametrize("bits", range(1, 9))
@pytest.mark.parametrize("signed", [True, False])
def test_every_code_of_a_width(bits, signed):
    low, high = code_range(bits, signed)
    codes = np.arange(low, high + 1)
    np.testing.assert_array_equal(
        unpack(pack(codes, bits, signed), bits, signed, (-low + high + 1,)), codes
    )


def test_four_bits_put_the_first_code_into_the_low_half():
    assert pack(np.array([1, 2, -1]), 4, signed=True) == bytes([0x21, 0x0F])


@pytest.mark.parametrize(
    ("code", "bits", "signed"), [(8, 3, False), (-1, 3, False), (4, 3, True), (-5, 3, True)]
)
def test_codes_outside_the_range(code, bits, signed):
    with pytest.raises(QuantlibError, match="do not fit"):
        pack(np.array([0, code]), bits, signed)


@pytest.mark.parametrize("bits", [0, 9, -1])
def test_widths_outside_1_to_8(bits):
    with pytest.raises(QuantlibError, match="outside 1 to 8"):
        pack(np.zeros(3, np.int8), bits, False)
    with pytest.raises(QuantlibError, match="outside 1 to 8"):
        unpack(b"", bits, False, (0,))


def test_floats_are_refused():
    with pytest.raises(QuantlibError, match="integers"):
        pack(np.array([0.5]), 4, False)


@pytest.mark.parametrize("length", [0, 1, 3])
def test_a_payload_of_another_length(length):
    with pytest.raises(QuantlibError, match="take 2 bytes"):
        unpack(bytes(length), 3, False, (5,))


def test_a_negative_side():
    with pytest.raises(QuantlibError, match="negative side"):
        unpack(b"", 3, False, (-1, 0))
