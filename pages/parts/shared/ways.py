"""Ways on from a mistake: a sentence with buttons below it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from quantlib.errors import QuantlibError


class Way(NamedTuple):
    """A button called `label`, and what it does."""

    label: str
    icon: str
    go: Callable[[], None]


class WaysOnError(QuantlibError):
    """A mistake that need not be the end: `ways` lead on."""

    def __init__(self, sentence: str, ways: Sequence[Way]) -> None:
        super().__init__(sentence)
        self.ways = tuple(ways)
