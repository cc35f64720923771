"""What every stop of the tour consists of."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from streamlit.delta_generator import DeltaGenerator

from pages.parts.super_resolution.networks import LoadedNetwork
from pages.parts.tour.scene import Scene


@dataclass(frozen=True)
class Answer:
    """Which option is right, as the library has just computed it, and the number behind it."""

    right: int
    because: str


@dataclass(frozen=True)
class Lines:
    """Python that prints a stop's numbers again.

    It finds `network`, `low` and `truth`; with `layers` also those by name, and the `values` and
    the `plane` that the stop looks at.
    """

    imports: str
    code: str
    layers: bool = True


@dataclass(frozen=True)
class Stop:
    """One screen: a question, then one control, a formula with its numbers, and a figure.

    `show` draws the last three, on the left and on the right, and returns what the address of the
    full page, `page`, says beside the picture and the network; `lines` print the numbers again.
    `lacks` says what a network does not have that is needed here.
    """

    title: str
    lead: str
    question: str
    options: tuple[str, ...]
    answer: Callable[[Scene], Answer]
    show: Callable[[Scene, DeltaGenerator, DeltaGenerator], Mapping[str, str]]
    lines: Callable[[Scene], Lines]
    remember: str
    page: str
    full: str
    lacks: Callable[[LoadedNetwork], str] = lambda network: ""


def nearest(value: float, offered: Sequence[float]) -> int:
    """The place of the offered number whose ratio to `value` is nearest to 1; all above zero.

    >>> nearest(3.1, [1.4, 2, 4, 10])
    2
    """
    return min(range(len(offered)), key=lambda i: abs(math.log(value / offered[i])))
