"""Chains of layers in bands of rows: what lies between two layers stays in the cache.

Every band goes through all layers, and into the sum behind them, on a processor of its own. A layer
reads a row more above and below than it gives; neighbouring bands both compute those.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import TypeGuard

import torch
from torch import Tensor, fx, nn

from quantlib.runtime.layers import Accumulate, IntegerLayer, Prepared
from quantlib.runtime.side_by_side import side_by_side
from quantlib.runtime.tracing import Node, module_of, nodes

PIXELS = 8192  # of a band at least: less takes no longer than handing it out


class Chain(Prepared):
    """`layers`, from codes `(N, C, H, W)` to what the last one gives."""

    def __init__(self, layers: dict[str, IntegerLayer]) -> None:
        super().__init__()
        self.layers = nn.ModuleDict(layers)

    def forward(self, codes: Tensor) -> Tensor:
        dtype = torch.float32 if self._layers[-1].output is None else torch.uint8
        shape = self._shape(codes)
        made = torch.empty(shape, dtype=dtype, memory_format=torch.channels_last)
        self._in_bands(codes, lambda rows, given: rows(made).copy_(given))
        return made

    @property
    def _layers(self) -> list[IntegerLayer]:
        return list(self.layers.values())  # type: ignore[arg-type]

    def _shape(self, codes: Tensor) -> torch.Size:
        return torch.Size((len(codes), len(self._layers[-1].weight.codes), *codes.shape[2:]))

    def _in_bands(self, codes: Tensor, use: Callable[..., object]) -> None:
        """Calls `use` for every band with a function that cuts it out, and with its last values."""

        @torch.inference_mode()
        def work(band: tuple[int, int, int]) -> None:
            picture, start, end = band
            given = self._rows_of(codes[picture : picture + 1], start, end)
            use(lambda x: x[picture : picture + 1, :, start:end], given)

        pictures, _, height, width = codes.shape
        side_by_side(work, bands(pictures, height, width, torch.get_num_threads()))

    def _rows_of(self, codes: Tensor, start: int, end: int) -> Tensor:
        """What the last layer gives in these rows; every layer pads where the picture ends."""
        height, margin = codes.shape[2], sum(_radius(layer) for layer in self._layers)
        first = max(start - margin, 0)
        x = codes[:, :, first : min(end + margin, height)]
        for layer in self._layers:
            margin -= _radius(layer)
            top, bottom = max(start - margin, 0), min(end + margin, height)
            x, first = layer(x)[:, :, top - first : bottom - first], top
        return x


class Branch(Chain):
    """`layers`, whose last values `total` adds to the value that is kept."""

    def __init__(self, layers: dict[str, IntegerLayer], total: Accumulate) -> None:
        super().__init__(layers)
        self.total = total

    def forward(self, kept: Tensor, codes: Tensor) -> object:  # type: ignore[override]
        kept, total, new = self.total.places(kept, self._shape(codes))

        def put(rows: Callable[[Tensor], Tensor], added: Tensor) -> None:
            self.total.put(rows(total), rows(kept), added, None if new is None else rows(new))

        self._in_bands(codes, put)
        return self.total.results(total, new)


def bands(pictures: int, height: int, width: int, threads: int) -> list[tuple[int, int, int]]:
    """A picture's number and its rows from and to: as many of them as there are threads.

    >>> bands(1, 256, 64, threads=2)
    [(0, 0, 128), (0, 128, 256)]
    >>> bands(3, 100, 100, threads=2)
    [(0, 0, 100), (1, 0, 100), (2, 0, 100)]
    """
    wanted = -(-threads // pictures)
    count = max(1, min(wanted, height * width // PIXELS))
    edges = [height * number // count for number in range(count + 1)]
    return [(picture, start, end) for picture in range(pictures) for start, end in pairwise(edges)]


def join_chains(graph: fx.GraphModule) -> None:
    """Puts a branch in the place of layers that end in a sum, and a chain in that of others."""
    for node in reversed(nodes(graph)):
        module = module_of(node)
        if isinstance(module, Accumulate):
            kept, source = node.args
            layers, first = _ending_in(source)
            if layers:
                _join(graph, node, Branch(layers, module), (kept, first))
        elif _joins(module):
            layers, first = _ending_in(node.args[0])
            if layers:
                _join(graph, node, Chain({**layers, str(node.target): module}), (first,))
    graph.graph.eliminate_dead_code()


def _ending_in(source: Node) -> tuple[dict[str, IntegerLayer], Node]:
    """The layers whose output nobody but the next one reads, the last of them `source`."""
    layers: dict[str, IntegerLayer] = {}
    while _joins(layer := module_of(source)) and len(source.users) == 1:
        layers = {str(source.target): layer, **layers}
        (source,) = source.args
    return layers, source


def _joins(layer: nn.Module | None) -> TypeGuard[IntegerLayer]:
    return isinstance(layer, IntegerLayer) and layer.keeps_size


def _join(graph: fx.GraphModule, node: Node, chain: Chain, given: tuple[Node, ...]) -> None:
    name = f"chain_{node.name}"
    graph.add_module(name, chain)
    with graph.graph.inserting_before(node):
        node.replace_all_uses_with(graph.graph.call_module(name, given))
    graph.graph.erase_node(node)
    graph.graph.eliminate_dead_code()


def _radius(layer: IntegerLayer) -> int:
    """Rows above and below that an output row depends on."""
    assert layer.geometry is not None
    return layer.geometry.padding[0]
