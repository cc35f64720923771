import pytest

from quantlib.errors import QuantlibError
from quantlib.quantizers.bitwidth import BitWidth


@pytest.mark.parametrize("bits", range(1, 17))
def test_the_range_is_that_of_an_integer_of_so_many_bits(bits):
    """int.to_bytes and back is how Python itself reads two's complement."""
    length = 2
    words = [word.to_bytes(length, "little") for word in range(1 << bits)]
    plain = [int.from_bytes(word, "little") for word in words]
    shift = 8 * length - bits
    signed = [
        int.from_bytes(((w << shift) & 0xFFFF).to_bytes(length, "little"), "little", signed=True)
        >> shift
        for w in plain
    ]
    assert (BitWidth(bits).qmin, BitWidth(bits).qmax) == (min(signed), max(signed))
    unsigned = BitWidth(bits, signed=False)
    assert (unsigned.qmin, unsigned.qmax) == (min(plain), max(plain))


@pytest.mark.parametrize(
    ("bits", "signed", "magnitude"), [(3, True, 4), (8, True, 128), (3, False, 7), (8, False, 255)]
)
def test_what_the_largest_value_is_divided_by(bits, signed, magnitude):
    assert BitWidth(bits, signed).magnitude == magnitude


def test_widening_keeps_the_sign():
    assert BitWidth(3).widened(3) == BitWidth(6)
    assert BitWidth(3, signed=False).widened(0) == BitWidth(3, signed=False)
    with pytest.raises(QuantlibError, match="17 bits are out of range"):
        BitWidth(16).widened(1)


@pytest.mark.parametrize("bits", [0, -1, 17])
def test_widths_out_of_range(bits):
    with pytest.raises(QuantlibError, match=f"{bits} bits are out of range; choose 1 to 16"):
        BitWidth(bits)


@pytest.mark.parametrize("bits", [True, 3.0, "3", None])
def test_what_is_no_whole_number(bits):
    with pytest.raises(QuantlibError, match="is a whole number, not"):
        BitWidth(bits)
