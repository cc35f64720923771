"""The inner loops of the coders, compiled by numba; they let other threads run meanwhile.

Everything here has a plain form in NumPy (or in `constriction`) that gives the same bytes;
`quantlib.coding.compiled` decides which one runs. Machine code is cached beside these files, in the
user's cache where they are read-only, or where BITLENS_CACHE or NUMBA_CACHE_DIR says.
"""

from quantlib.coding.kernels.fixed import pack, unpack
from quantlib.coding.kernels.prefix import count, join, part
from quantlib.coding.kernels.rans import rans

__all__ = ["count", "join", "pack", "part", "rans", "unpack"]
