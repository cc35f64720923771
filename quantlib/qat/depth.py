"""The depth-dynamic architecture of QuantSR: one super-network, three depths that share weights."""

from collections.abc import Sequence

from torch import Tensor

from quantlib.errors import QuantlibError

DEPTHS = {"full": 1, "half": 2, "quarter": 4}
"""Each depth with what the number of blocks is divided by."""


def importance_order(shortcuts: Tensor) -> list[int]:
    """Blocks by falling importance: a large learned shortcut says that its block can be skipped.

    >>> importance_order(Tensor([1.0, 0.8, 1.3]))
    [1, 0, 2]
    """
    return shortcuts.argsort(stable=True).tolist()


def kept_blocks(order: Sequence[int], depth: str) -> list[int]:
    """The blocks that a depth computes, in the order of the network; the others are skipped.

    >>> kept_blocks([3, 0, 2, 1], "half")
    [0, 3]
    """
    if depth not in DEPTHS:
        raise QuantlibError(f"There is no depth {depth!r}; choose one of {', '.join(DEPTHS)}.")
    return sorted(order[: max(1, len(order) // DEPTHS[depth])])
