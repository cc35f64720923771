"""Functions compiled by numba, whose machine code is kept from one start to the next."""

from collections.abc import Callable
from typing import Any

from numba import njit


def machine_code(*signatures: str, **options: Any) -> Callable[[Callable], Any]:
    """`numba.njit` that lets other threads run; for `signatures` at once, else at the first call.

    Where no folder can be written, it is compiled anew at every start.
    """
    known: Any = list(signatures) or None

    def decorate(function: Callable) -> Any:
        try:
            return njit(known, nogil=True, cache=True, **options)(function)
        except RuntimeError:  # no folder to keep it in
            return njit(known, nogil=True, **options)(function)

    return decorate
