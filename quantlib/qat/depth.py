"""The depth-dynamic architecture of QuantSR: one super-network, three depths that share weights."""

import copy
from collections.abc import Collection, Sequence
from typing import Any, Self

import torch
from torch import Tensor, nn

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


class SkippedBlock(nn.Module):
    """What is left of a skipped residual block: s·x."""

    def __init__(self, shortcut: nn.Parameter | None) -> None:
        super().__init__()
        self.shortcut = shortcut

    def forward(self, x: Tensor, *_: object) -> Tensor:
        return x if self.shortcut is None else x * self.shortcut


class DepthDynamic(nn.Module):
    """A network of residual blocks, which can be skipped if each has a learned `shortcut`.

    A network with depths has the buffer `block_order`, its blocks by falling importance. Those who
    inherit say where the blocks are: `residual_blocks` and `with_residual_blocks`.
    """

    block_order: Tensor
    scale: int

    @property
    def residual_blocks(self) -> list[Any]:
        raise NotImplementedError

    def with_residual_blocks(self, blocks: Sequence[nn.Module]) -> Self:
        """This network, weights shared, with others in the places of its residual blocks."""
        raise NotImplementedError

    @property
    def shortcuts(self) -> Tensor:
        """The learned shortcuts of the blocks, `(B,)`."""
        return torch.stack([block.shortcut for block in self.residual_blocks])

    @property
    def has_depths(self) -> bool:
        """Whether this is a depth-dynamic super-network, with shortcuts and an order of blocks."""
        return "block_order" in self._buffers

    def with_blocks(self, kept: Collection[int]) -> Self:
        """This network, weights shared, with every block but the `kept` ones skipped."""
        blocks = [
            block if i in kept else SkippedBlock(block.shortcut)
            for i, block in enumerate(self.residual_blocks)
        ]
        return self.with_residual_blocks(blocks)

    def at_depth(self, depth: str) -> Self:
        """The sub-network of a depth: "full", "half" or "quarter", weights shared (QuantSR)."""
        if depth == "full":
            return self
        if not self.has_depths:
            raise QuantlibError("This network has one depth only; choose the full one.")
        return self.with_blocks(self.kept_blocks(depth))

    def kept_blocks(self, depth: str) -> list[int]:
        """The blocks of a depth-dynamic super-network that a depth computes."""
        return kept_blocks(self.block_order.tolist(), depth)

    def with_module(self, name: str, module: nn.Module) -> Self:
        """This network, weights shared, with `module` as its child `name`."""
        twin = copy.copy(self)
        twin._modules = {**self._modules, name: module}
        return twin
