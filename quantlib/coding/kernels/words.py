"""What the kernels are made of: words of 64 bits from and to any byte, and a search in them.

numba takes no notice of changes here: after one, remove what it has cached of the other files.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types, uint64
from numba.extending import intrinsic

from quantlib.coding.machine_code import machine_code

_1 = uint64(1)


def compiled(*signatures: str) -> Callable[[Callable], Any]:
    """Compiles a function for these types of numba, at once and without holding the lock."""
    names = {
        "bytes": "Array(uint8, 1, 'C', readonly=True)",
        "words": "Array(uint64, 1, 'C', readonly=True)",
        "pair": "UniTuple(uint64, 2)",
    }
    return machine_code(*(signature.format(**names) for signature in signatures))


def _instruction(function: Callable) -> Any:
    return intrinsic(function)


def _word_at(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [at]), ir.IntType(64).as_pointer())


@_instruction
def load(typing: Any, data: Any, at: Any) -> Any:
    """The 8 bytes from `data[at]` on, lowest first, as a word."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load(_word_at(context, builder, signature.args[0], *values), align=1)

    return types.uint64(data, types.uint64), code


@_instruction
def store(typing: Any, data: Any, at: Any, word: Any) -> Any:
    """Puts the 8 bytes of a word, lowest first, at `data[at]`."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        builder.store(
            values[2], _word_at(context, builder, signature.args[0], *values[:2]), align=1
        )
        return context.get_dummy_value()

    return types.void(data, types.uint64, types.uint64), code


@_instruction
def swapped(typing: Any, word: Any) -> Any:
    """The word with its bytes in reverse."""
    return types.uint64(types.uint64), lambda context, builder, signature, values: builder.bswap(
        values[0]
    )


@compiled("uint64({words}, uint64, uint64, uint64)")
def last_at_most(starts, value, low, high):
    """The largest i from `low` on and below `high` with starts[i] <= value, where low is one."""
    while high - low > _1:
        middle = (low + high) >> _1
        if starts[middle] <= value:
            low = middle
        else:
            high = middle
    return low
