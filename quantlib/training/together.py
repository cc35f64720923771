"""Several processes that train one network: what `torchrun` started, or this one alone."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from quantlib.errors import QuantlibError
from quantlib.qat.quantizer import LearnedQuantizer

WEIGHTS = ".weight_quantizer"
"""How the names of quantizers end that no batch passes through."""
LOSS = Callable[[Tensor, Tensor, int], Tensor]
T = TypeVar("T")


@dataclass(frozen=True)
class Together:
    """This process is the `rank`-th of `size`; each takes an equal share of every batch.

    >>> one = Together(1, 2).share(torch.arange(8))
    >>> one.tolist(), Together().share(one).tolist()
    ([4, 5, 6, 7], [4, 5, 6, 7])
    """

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes and speaks for all."""
        return self.rank == 0

    @property
    def device(self) -> torch.device:
        if not torch.cuda.is_available():
            return torch.device("cpu")
        return torch.device("cuda", torch.cuda.current_device())

    def check(self, name: str, batch: int, network: nn.Module) -> None:
        """Raises a QuantlibError where shares of a batch would not train as the whole does."""
        if batch % self.size:
            raise QuantlibError(
                f"A batch of {batch} in recipe {name} has no equal shares for {self.size} "
                "processes; start a number of them that divides it."
            )
        if self.size > 1 and any(isinstance(m, _BatchNorm) for m in network.modules()):
            raise QuantlibError(
                f"Recipe {name} trains in one process alone: its batch norm looks at the whole "
                "batch. Start it without torchrun."
            )

    def share(self, batch: Tensor) -> Tensor:
        """This process's part of a batch, which is the same in all of them."""
        each = len(batch) // self.size
        return batch[self.rank * each : (self.rank + 1) * each]

    def step_of(self, network: nn.Module, loss_of: LOSS) -> LOSS:
        """`loss_of` with the gradients of `network` that the whole batch would give."""
        if self.size == 1:
            return loss_of
        for name, module in network.named_modules():
            if isinstance(module, LearnedQuantizer) and not name.endswith(WEIGHTS):
                module.share_batch(self.size)
        return DistributedDataParallel(_Step(network, loss_of), find_unused_parameters=True)

    def mean(self, value: Tensor) -> float:
        """The mean over all processes of one number of each."""
        if self.size == 1:
            return value.item()
        total = value.detach().clone()
        with self.noticing():
            distributed.all_reduce(total)
        return total.item() / self.size

    def from_first(self, read: Callable[[], T]) -> T:
        """What the first process reads, in all of them."""
        if self.size == 1:
            return read()
        found: list[Any] = [read() if self.is_first else None]
        with self.noticing():
            distributed.broadcast_object_list(found)
        return found[0]

    @contextmanager
    def noticing(self) -> Iterator[None]:
        """Says in a sentence that another process has ended."""
        try:
            yield
        except RuntimeError as error:
            if self.size == 1 or not _is_of_another(error):
                raise
            raise QuantlibError(
                "Another process of this training has ended; the last checkpoint is kept. Start "
                "all of them again, with --resume."
            ) from error


class _Step(nn.Module):
    """The loss as a module, whose gradients can be followed."""

    def __init__(self, network: nn.Module, loss_of: LOSS) -> None:
        super().__init__()
        self.network, self.loss_of = network, loss_of

    def forward(self, low: Tensor, high: Tensor, step: int) -> Tensor:
        return self.loss_of(low, high, step)


@contextmanager
def joined(environment: Mapping[str, str] = os.environ) -> Iterator[Together]:
    """Inside, `together()` are the processes that torchrun started; this one alone without it.

    They speak over NCCL where there is CUDA, else over gloo.
    """
    if "RANK" not in environment or "WORLD_SIZE" not in environment:
        yield Together()
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(environment.get("LOCAL_RANK", "0")))
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield together()
    finally:
        distributed.destroy_process_group()


def together() -> Together:
    """The processes that train with this one."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return Together()
    return Together(distributed.get_rank(), distributed.get_world_size())


def _is_of_another(error: RuntimeError) -> bool:
    """Whether an error comes from speaking with other processes."""
    text = str(error).lower()
    words = "connection", "peer", "gloo", "nccl", "socket"
    return isinstance(error, distributed.DistBackendError) or any(one in text for one in words)
