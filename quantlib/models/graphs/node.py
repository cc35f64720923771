"""One operator of a graph with its attributes, whatever version of ONNX wrote it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T", int, float, str, tuple)


class UnsupportedError(Exception):
    """Something of a graph that has no form here; the text says what, to stand after "uses"."""


@dataclass(frozen=True, eq=False)
class Node:
    """`kind` is the operator's name; a missing input is "".

    >>> Node("Concat", "join", ("a", "b"), ("c",), {"axis": 1}).get("axis", 0)
    1
    """

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    opset: int = 17

    def get(self, name: str, default: T) -> T:
        """An attribute of the type that `default` has; a ValueError where it is of another."""
        value = self.attributes.get(name, default)
        if isinstance(value, bytes):
            value = value.decode()
        if isinstance(value, list):
            value = tuple(value)
        if type(value) is not type(default):
            raise ValueError(f"{name} of {self.kind} is a {type(value).__name__}")
        return value  # type: ignore[return-value]

    def has(self, name: str) -> bool:
        return name in self.attributes

    def require(self, name: str, default: T, *known: T) -> T:
        """An attribute that is one of `known`; an UnsupportedError for another."""
        value = self.get(name, default)
        if value not in known:
            raise UnsupportedError(f"{self.kind} with {name} {value}")
        return value

    @property
    def place(self) -> str:
        """The operator in a person's words."""
        return f"{self.kind} ({self.name})" if self.name else self.kind
