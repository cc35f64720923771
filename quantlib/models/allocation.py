"""A bound on what is allocated while a network is built, by what its file holds."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

SPARE = 1 << 24
"""Elements that may be built beside the weights: masks, tables and indices of windows."""
EACH, FEWEST, SPARE_TENSORS = 4, 64, 512
"""Tensors that may be made for each one held (SwinIR needs 3.4), if each holds some elements, and
those that may be made beside."""
SMALL = 1 << 12
"""Nothing is asked about fewer; its square is the spare."""
EMPTY = torch.ops.aten.empty.memory_format


class ClaimError(Exception):
    """More would be allocated than the file holds."""


class Bounded(TorchDispatchMode):
    """Inside, tensors are made for twice `held` elements and some spare, and none beyond.

    `tensors` is how many hold them: layers without end may be small. Raises a `ClaimError` instead
    of the allocation.

    >>> with Bounded(held=100):
    ...     torch.nn.Linear(5000, 5000)
    Traceback (most recent call last):
    quantlib.models.allocation.ClaimError: 25,000,000 elements are claimed, 100 are held
    """

    def __init__(self, held: int, tensors: int = 0) -> None:
        super().__init__()
        self.held, self.left = held, 2 * held + SPARE
        self.tensors_left = min(EACH * tensors, held // FEWEST) + SPARE_TENSORS

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Or PyTorch would import its compiler, for over a second, to keep it off this."""
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if not any(result.alias_info for result in func._schema.returns) and not _is_meta(
            args, kwargs
        ):
            self._admit(func, args, kwargs)
        return func(*args, **kwargs)

    def _admit(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: Any) -> None:
        is_new = not any(isinstance(leaf, Tensor) for leaf in tree_leaves(args))
        claimed = _most(args)
        if func is EMPTY:
            claimed = math.prod(args[0])
        elif claimed > SMALL:
            claimed = _asked(func, args, kwargs | ({"device": "meta"} if is_new else {}))
        if claimed > self.left:
            raise ClaimError(f"{claimed:,} elements are claimed, {self.held:,} are held")
        if is_new:
            self.left -= claimed
            self.tensors_left -= 1
        if self.tensors_left < 0:
            raise ClaimError("more tensors are made than a network of those that are held has")


def _is_meta(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether only sizes are computed, which takes no memory."""
    if str(kwargs.get("device")) == "meta":
        return True
    return any(isinstance(leaf, Tensor) and leaf.is_meta for leaf in tree_leaves(args))


def _most(args: tuple[Any, ...]) -> float:
    """What hardly any result has more elements, or more than the square, of."""
    sizes = [x.numel() if isinstance(x, Tensor) else x for x in tree_leaves(args)]
    return math.prod(size for size in sizes if isinstance(size, int | float) and size > 1)


def _asked(func: Callable[..., Any], args: tuple[Any, ...], kwargs: Any) -> int:
    """The elements of a result, by PyTorch's meta device, which allocates nothing."""
    args, kwargs = tree_map_only(Tensor, _on_meta, (args, kwargs))
    try:
        result = func(*args, **kwargs)
    except Exception:  # what depends on values has no size before it is computed
        return 0
    return sum(leaf.numel() for leaf in tree_leaves(result) if isinstance(leaf, Tensor))


def _on_meta(tensor: Tensor) -> Tensor:
    """Its size and layout without its values."""
    size, stride = tensor.size(), tensor.stride()
    return torch.empty_strided(size, stride, dtype=tensor.dtype, device="meta")
