"""What the layers of a network give while it runs."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor, nn


@contextmanager
def recorded(
    network: nn.Module,
    names: Sequence[str],
    view: Callable[[nn.Module, Tensor], Tensor] = lambda layer, y: y,
) -> Iterator[dict[str, list[Tensor]]]:
    """What the layers `names` give, call by call, while the context lasts."""
    outputs: dict[str, list[Tensor]] = {}
    handles = []
    for name in names:

        def note(layer: nn.Module, inputs: tuple, y: Tensor, name: str = name) -> None:
            outputs.setdefault(name, []).append(view(layer, y))

        handles.append(network.get_submodule(name).register_forward_hook(note))
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()
