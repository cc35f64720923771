"""What the table of operators says about each: how a function is made of a node."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from quantlib.models.graphs.node import Node

Function = Callable[..., Any]
"""Takes the inputs in order, None for missing ones, and gives the output, or a list of several.

Inputs are tensors, Python numbers where they are constants of no axes, and arrays of NumPy where
they say how: sizes, places, axes.
"""


class Operator(NamedTuple):
    """`make` gives the function of a node; `settings` are the inputs that say how it is done."""

    make: Callable[[Node], Function]
    settings: tuple[int, ...] = ()


def whole(values: Any) -> list[Any]:
    """The whole numbers in an array; what stands for numbers while a graph is traced stays."""
    return np.asarray(values).reshape(-1).tolist()


def is_zero(value: object) -> bool:
    """Whether a number is known to be 0."""
    return isinstance(value, int) and value == 0


def has_values(values: Any) -> bool:
    """Whether an optional input is there; older files have an empty one in its place."""
    return values is not None and np.size(values) > 0


def axes_of(node: Node, given: Any = None) -> list[int] | None:
    """Axes, which are an attribute in older versions and an input in newer ones."""
    if has_values(given):
        return whole(given)
    return list(node.get("axes", ())) or None


def same_padding(node: Node, kernel: Sequence[int]) -> list[int]:
    """Pixels of padding at the beginning and the end of each axis, as ONNX lists them."""
    rank = len(kernel)
    how = node.require("auto_pad", "NOTSET", "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")
    if how == "VALID":
        return [0] * (2 * rank)
    if how == "NOTSET":
        pads = list(node.get("pads", (0,) * (2 * rank)))
        if len(pads) != 2 * rank:
            raise ValueError("pads")
        return pads
    strides, dilations = (node.get(name, (1,) * rank) for name in ("strides", "dilations"))
    if any(stride != 1 for stride in strides):
        node.require("auto_pad", "NOTSET", "NOTSET")
    missing = [(side - 1) * apart for side, apart in zip(kernel, dilations, strict=True)]
    less, more = [one // 2 for one in missing], [one - one // 2 for one in missing]
    return less + more if how == "SAME_UPPER" else more + less


def as_pad(pads: Sequence[int]) -> list[int]:
    """ONNX's padding, all beginnings and then all ends, as PyTorch has it: from the last axis.

    >>> as_pad([1, 2, 3, 4])
    [2, 4, 1, 3]
    """
    half = len(pads) // 2
    pairs = zip(pads[:half], pads[half:], strict=True)
    return [side for pair in reversed(list(pairs)) for side in pair]


def is_even(pads: Sequence[int]) -> bool:
    """Whether there is as much at the end of each axis as at its beginning."""
    return list(pads[: len(pads) // 2]) == list(pads[len(pads) // 2 :])


def area(kernel: Sequence[int]) -> int:
    return math.prod(kernel)
