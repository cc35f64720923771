"""What layers and weights of a graph are called: as before the export, where that still shows."""

import re
from collections.abc import Iterator

from torch import nn

from quantlib.models.graphs.node import Node

_NAME = re.compile(r"[A-Za-z_]\w*|\d{1,3}")
_TAKEN = frozenset(dir(nn.Module())) | {"plan", "batches", "run", "onnx_graph"}


class Names:
    """Gives out names, each once, none of which lies inside another."""

    def __init__(self) -> None:
        self._given: set[str] = set()
        self._above: set[str] = set()

    def layer(self, node: Node, weight: str) -> str:
        """The name of a layer, by that of its weight or its node.

        >>> names = Names()
        >>> node = Node("Conv", "/body/body.0/conv/Conv", (), ())
        >>> names.layer(node, "body.0.conv.weight"), names.layer(node, "onnx::Conv_12")
        ('body.0.conv', 'body.0.conv_1')
        """
        wish = weight.removesuffix(".weight") if weight.endswith(".weight") else _path(node)
        return self.free(wish, node.kind.lower())

    def free(self, wish: str, otherwise: str) -> str:
        """`wish` where it is a name that is free, else one like it or like `otherwise`."""
        parts = wish.split(".")
        is_name = all(_NAME.fullmatch(part) and part not in _TAKEN for part in parts)
        if not is_name or parts[0] == "module" or len(wish) > 200:
            wish = re.sub(r"\W+", "_", otherwise)
        for name in _numbered(wish):
            above = {name.rsplit(".", n)[0] for n in range(1, name.count(".") + 1)}
            if name not in self._given | self._above and not above & self._given:
                self._given.add(name)
                self._above |= above
                return name
        raise AssertionError


def _numbered(wish: str) -> Iterator[str]:
    yield wish
    for number in range(1, 1 << 20):
        yield f"{wish}_{number}"


def _path(node: Node) -> str:
    """The module's path in a node's name: /body/body.0/conv/Conv is body.0.conv."""
    path: list[str] = []
    for part in node.name.strip("/").split("/")[:-1]:
        if path and part.startswith(f"{path[-1]}."):
            path.pop()
        path.append(part)
    return ".".join(path)
