"""What a pickle asks for, found by looking at its opcodes, before anything is made of it."""

import pickletools
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

MOST_OPCODES = 500_000
"""About ten times those of the largest networks for super-resolution."""
MOST_IN_TUPLE = 1_000
"""Values in a tuple and the tuples inside it: a hash visits each as often as it is named."""
COSTLY = {"builtins.bytearray", "__builtin__.bytearray", "_codecs.encode"}
"""What PyTorch's reader lets through, and what makes many bytes of a few."""

_PUSHED = {
    *("NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "BINFLOAT", "LONG1"),
    *("BINUNICODE", "SHORT_BINSTRING", "EMPTY_LIST", "EMPTY_DICT", "EMPTY_SET", "EMPTY_TUPLE"),
    "GLOBAL",
}
_SHORT_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_JOINED = {"APPEND": 1, "SETITEM": 2, "BUILD": 1, "REDUCE": 1, "NEWOBJ": 1, "STOP": 1}
"""How many values go into, or are used up by, the one below them."""


class RefusedPickleError(Exception):
    """A pickle that is not even begun; `names` are what it asks for."""

    def __init__(self, names: list[str] | None = None) -> None:
        super().__init__("refused")
        self.names = names or []


def inspect(file: BinaryIO) -> None:
    """Goes through one pickle, up to its end, as PyTorch's weights-only reader would.

    Raises `RefusedPickleError` for what would take long or much memory, and any other exception for
    what is damaged. Containers that contain themselves are neither.

    >>> import io, pickle
    >>> inspect(io.BytesIO(pickle.dumps({"a": (1, 2, [3])}, protocol=2)))
    >>> twice = ()
    >>> for _ in range(10):
    ...     twice = (twice, twice)
    >>> inspect(io.BytesIO(pickle.dumps({twice: 0}, protocol=2)))
    Traceback (most recent call last):
    quantlib.models.opcodes.RefusedPickleError: refused
    """
    stack: list[int] = []  # of each value, how many a hash of it visits
    marks: list[int] = []
    memo: dict[int, int] = {}
    for step in _steps(file):
        name, argument = step
        if name == "GLOBAL" and argument.replace(" ", ".") in COSTLY:
            raise RefusedPickleError([argument.replace(" ", ".")])
        if name in _PUSHED:
            stack.append(1)
        elif name in ("BINPUT", "LONG_BINPUT"):
            memo[argument] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif name == "MARK":
            marks.append(len(stack))
        elif name == "TUPLE":
            _join(stack, marks.pop())
        elif name in _SHORT_TUPLES:
            _join(stack, len(stack) - _SHORT_TUPLES[name])
        elif name in ("APPENDS", "SETITEMS"):
            del stack[marks.pop() :]
        elif name in _JOINED:
            del stack[len(stack) - _JOINED[name] :]
        elif name not in ("PROTO", "BINPERSID"):
            raise ValueError(f"{name} is not in pickles of weights")


class _Step(NamedTuple):
    name: str
    argument: Any


def _steps(file: BinaryIO) -> Iterator[_Step]:
    for number, (opcode, argument, _) in enumerate(pickletools.genops(file)):
        if number >= MOST_OPCODES:
            raise RefusedPickleError
        yield _Step(opcode.name, argument)


def _join(stack: list[int], start: int) -> None:
    """Makes a tuple of the values from `start` on."""
    weight = 1 + sum(stack[start:])
    if start < 0 or weight > MOST_IN_TUPLE:
        raise RefusedPickleError
    stack[start:] = [weight]
