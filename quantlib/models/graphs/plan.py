"""The steps that a network takes, in order: what is called, with what, and what is then known."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple


class Value(NamedTuple):
    """What an earlier step gave, or the picture; `number` where a size stands among tensors."""

    name: str
    number: bool = False


class Weight(NamedTuple):
    """A constant that the network holds under this name."""

    name: str


class Fixed(NamedTuple):
    """A number, an array that says how, or None for an input that is not there."""

    value: Any


Source = Value | Weight | Fixed


@dataclass(frozen=True, eq=False)
class Step:
    """One operator of a `kind`: the layer of the network called `layer`, or a function.

    `what` is the operator in a person's words. `done` are the values that no later step reads.
    `work` is how many products each value of the result takes, where that does not depend on the
    picture.
    """

    kind: str
    what: str
    inputs: tuple[Source, ...]
    outputs: tuple[str, ...]
    function: Callable[..., Any] | None = None
    layer: str = ""
    sizes: bool = False
    work: int = 1
    done: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Plan:
    """All steps between `input` and `output`; `file` is what a person knows the network by."""

    steps: tuple[Step, ...]
    input: str
    output: str
    file: str

    def __deepcopy__(self, memo: dict[int, Any]) -> "Plan":
        return self  # it is never changed, and copies of a network share it
