"""What layers and weights of a graph are called: as before the export, where that still shows."""

import re
from collections.abc import Iterator
from itertools import count

from torch import nn

from quantlib.models.graphs.node import Node

_NAME = re.compile(r"[A-Za-z_]\w*|\d{1,3}")
LONGEST = 200
_TAKEN = frozenset(dir(nn.Module())) | {"plan", "batches", "run", "onnx_graph"}


class Names:
    """Gives out names, each once, none of which lies inside another."""

    def __init__(self) -> None:
        self._given: set[str] = set()
        self._inner: set[str] = set()

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
        if not is_name or parts[0] == "module" or len(wish) > LONGEST:
            wish = re.sub(r"\W+", "_", otherwise)
        if _above(wish) & self._given:
            wish = wish.replace(".", "_")
        name = next(one for one in _numbered(wish) if one not in self._given | self._inner)
        self._given.add(name)
        self._inner |= _above(name)
        return name


def _above(name: str) -> set[str]:
    """The names of what a name lies inside.

    >>> sorted(_above("body.0.conv"))
    ['body', 'body.0']
    """
    parts = name.split(".")
    return {".".join(parts[:n]) for n in range(1, len(parts))}


def _numbered(wish: str) -> Iterator[str]:
    yield wish
    for number in count(1):
        yield f"{wish}_{number}"


def _path(node: Node) -> str:
    """The module's path in a node's name: /body/body.0/conv/Conv is body.0.conv."""
    path: list[str] = []
    for part in node.name.strip("/").split("/")[:-1]:
        if path and part.startswith(f"{path[-1]}."):
            path.pop()
        path.append(part)
    return ".".join(path)
