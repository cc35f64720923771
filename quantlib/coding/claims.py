"""How many symbols a payload may announce, settled before any memory is taken for them.

Some symbols cost no bits: those of an alphabet of one, or of a row that is nearly constant. So a
few bytes can stand for any number of symbols, and it takes a bound to tell them from damage.
"""

from quantlib.errors import QuantlibError

PER_BYTE = 32  # symbols that a byte may stand for in a long payload


def most_symbols(payload: bytes, free: int) -> int:
    """What a payload may announce where nobody knows more: `free`, or `PER_BYTE` for every byte."""
    return max(free, PER_BYTE * len(payload))


def hold_claim(claimed: int, most: int) -> None:
    """Raises a QuantlibError where a payload announces more than `most` symbols.

    >>> hold_claim(400, most=300)
    Traceback (most recent call last):
    quantlib.errors.QuantlibError: The payload announces 400 symbols where 300 are allowed; \
it is damaged, or decode it with a larger limit.
    """
    if claimed > most:
        raise QuantlibError(
            f"The payload announces {claimed} symbols where {most} are allowed; "
            "it is damaged, or decode it with a larger limit."
        )
