"""How many bytes are held at once: tensors as PyTorch makes them, the rest as Python counts."""

import tracemalloc
import weakref
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, UntypedStorage
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class BytesHeld(TorchDispatchMode):
    """Inside `with`, follows all new tensors, NumPy arrays and bytes until they are let go.

    `peak` is the most bytes that were held at one time, `now` those that still are. Views cost
    nothing; what was there before is not counted, nor is what a kernel takes for itself and gives
    back before it returns. What is imported meanwhile counts: do the work once before. Other
    threads are not seen, so that PyTorch computes with one meanwhile.

    >>> import torch
    >>> for _ in range(2):
    ...     with BytesHeld() as held:
    ...         x = torch.zeros(10**6)
    ...         for _ in range(5):
    ...             x = x + 1
    >>> held.peak // 4_000_000, held.now // 4_000_000
    (2, 1)
    """

    def __init__(self) -> None:
        super().__init__()
        self.peak = 0
        self._tensors = 0
        self._known: dict[int, weakref.ref[UntypedStorage]] = {}
        self._ends = 0

    @property
    def now(self) -> int:
        return self._tensors + self._others()

    def __enter__(self) -> "BytesHeld":
        self._traces = not tracemalloc.is_tracing()
        if self._traces:
            tracemalloc.start()
        self._threads = torch.get_num_threads()
        torch.set_num_threads(1)
        tracemalloc.reset_peak()
        self._before = tracemalloc.get_traced_memory()[0]
        return super().__enter__()

    def __exit__(self, *failure: Any) -> None:
        self._look()
        self._ends = self._others()
        super().__exit__(*failure)
        torch.set_num_threads(self._threads)
        if self._traces:
            tracemalloc.stop()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        self._look()
        result = func(*args, **(kwargs or {}))
        given = {storage._cdata for storage in _storages((args, kwargs))}
        for storage in _storages(result):
            if storage._cdata not in given:
                self._follow(storage)
        self._look()
        return result

    def _follow(self, storage: UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._known:
            return

        def let_go(_: object) -> None:
            self._tensors -= size
            del self._known[key]

        self._known[key] = weakref.ref(storage, let_go)
        self._tensors += size

    def _look(self) -> None:
        """The most since the last look: tensors do not change in between, other objects do."""
        most = tracemalloc.get_traced_memory()[1] - self._before
        tracemalloc.reset_peak()
        self.peak = max(self.peak, self._tensors + most)

    def _others(self) -> int:
        if not tracemalloc.is_tracing():
            return self._ends
        return tracemalloc.get_traced_memory()[0] - self._before


def _storages(values: Any) -> Iterator[UntypedStorage]:
    """Those of all tensors in `values`, but for weights in a kernel's own layout."""
    for leaf in tree_leaves(values):
        if isinstance(leaf, Tensor) and leaf.layout == torch.strided:
            yield leaf.untyped_storage()
