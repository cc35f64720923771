"""What a person did wrong, in words that say how to mend it."""


class QuantlibError(Exception):
    """An error a user can cause: one sentence that says what is wrong and what to do.

    >>> raise QuantlibError("17 bits are outside 1 to 16; choose a number in that range.")
    Traceback (most recent call last):
    quantlib.errors.QuantlibError: 17 bits are outside 1 to 16; choose a number in that range.
    """
