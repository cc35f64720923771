"""The range of an integer code, in one place."""

from dataclasses import dataclass

from quantlib.errors import QuantlibError


@dataclass(frozen=True)
class BitWidth:
    """Two's-complement (signed) or plain (unsigned) integers of `bits` bits.

    >>> BitWidth(3), BitWidth(3).qmin, BitWidth(3).qmax
    (BitWidth(bits=3, signed=True), -4, 3)
    >>> BitWidth(3, signed=False).qmax
    7
    """

    bits: int
    signed: bool = True

    def __post_init__(self) -> None:
        if isinstance(self.bits, bool) or not isinstance(self.bits, int):
            raise QuantlibError(f"A bit-width is a whole number, not {self.bits!r}.")
        if not 1 <= self.bits <= 16:
            raise QuantlibError(f"{self.bits} bits are out of range; choose 1 to 16.")

    @property
    def qmin(self) -> int:
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def qmax(self) -> int:
        return (1 << (self.bits - 1)) - 1 if self.signed else (1 << self.bits) - 1

    @property
    def magnitude(self) -> int:
        """Divisor of the largest absolute value that gives the scale.

        Signed: 2^(n-1), as DQA's equation 1 has it, so that the top level is clipped. Unsigned:
        2^n - 1, so that the largest value is a level.
        """
        return 1 << (self.bits - 1) if self.signed else self.qmax

    def widened(self, extra_bits: int) -> "BitWidth":
        """The same kind of integer with `extra_bits` more bits."""
        return BitWidth(self.bits + extra_bits, self.signed)
