"""What a person can set, in one table: checks, options, addresses and widgets follow from it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import isfinite
from typing import Any

from quantlib.errors import QuantlibError
from quantlib.ptq.criteria import CRITERIA
from quantlib.qat.depth import DEPTHS
from quantlib.quantizers.uniform import CLIPS

SCALES = ("dynamic", "frozen")
MIN_BITS, MAX_BITS, MAX_EXTRA_BITS = 2, 8, 4


@dataclass(frozen=True, kw_only=True)
class Parameter(ABC):
    """One field of `Settings`.

    `default` is that of the library and of the command line, where it is called `option`; a screen
    begins with `first`, calls it `title`, explains it by `help` and has it under `key` in its
    address. Those `aside` are shown on demand and named only where they differ from the default.
    """

    title: str
    option: str
    key: str
    help: str
    default: Any
    first: Any = None
    aside: bool = False

    @property
    def begins_with(self) -> Any:
        return self.default if self.first is None else self.first

    @abstractmethod
    def check(self, name: str, value: Any) -> None:
        """A QuantlibError where `value` is not allowed; `name` is the field's."""

    def flags(self, value: Any) -> list[str]:
        """The command line's words for `value`."""
        if self.aside and value == self.default:
            return []
        return [self.option, self.text(value)]

    def text(self, value: Any) -> str:
        return str(value)

    @abstractmethod
    def value(self, text: str) -> Any:
        """What `text` gave; a ValueError where it is of another kind."""


@dataclass(frozen=True, kw_only=True)
class Whole(Parameter):
    """A whole number from `low` to `high`."""

    low: int
    high: int

    def check(self, name: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not self.fits(value):
            raise QuantlibError(
                f"{name} has to be a whole number from {self.low} to {self.high}, not {value}."
            )

    def fits(self, value: int) -> bool:
        return self.low <= value <= self.high

    def value(self, text: str) -> int:
        return int(text)


@dataclass(frozen=True, kw_only=True)
class Real(Parameter):
    """A number from `low` to `high`, which a slider offers from `shown` in steps of `step`."""

    low: float
    high: float
    shown: tuple[float, float]
    step: float
    refusal: str

    def check(self, name: str, value: Any) -> None:
        if not (isfinite(value) and self.low <= value <= self.high):
            raise QuantlibError(self.refusal.format(value=value))

    def text(self, value: float) -> str:
        return f"{value:g}"

    def value(self, text: str) -> float:
        return float(text)


@dataclass(frozen=True, kw_only=True)
class OneOf(Parameter):
    """One of `choices`, which screens call by their `titles`."""

    choices: tuple[str, ...]
    titles: tuple[str, ...] = ()

    def check(self, name: str, value: Any) -> None:
        if value not in self.choices:
            known = ", ".join(self.choices)
            raise QuantlibError(f"There is no {name} {value!r}; choose one of {known}.")

    def title_of(self, choice: str) -> str:
        return self.titles[self.choices.index(choice)] if self.titles else choice

    def value(self, text: str) -> str:
        return text


@dataclass(frozen=True, kw_only=True)
class Switch(Parameter):
    """On or off."""

    def check(self, name: str, value: Any) -> None:
        if not isinstance(value, bool):
            raise QuantlibError(f"{name} is on or off, not {value!r}.")

    def flags(self, value: Any) -> list[str]:
        return [self.option] if value else []

    def value(self, text: str) -> bool:
        if text not in ("True", "False"):
            raise ValueError(f"{text!r} is neither True nor False")
        return text == "True"


SMALLEST_BUDGET = 1e-9

PARAMETERS: dict[str, Parameter] = {
    "bits": Whole(
        title="Bits n",
        option="--bits",
        key="bits",
        help="Bits of every stored code.",
        default=4,
        first=2,
        low=MIN_BITS,
        high=MAX_BITS,
    ),
    "bits_per_activation": Real(
        title="Bits per activation",
        option="--bits-per-activation",
        key="budget",
        help="The budget: all bytes that are stored, tables and headers too, on average.",
        default=2.0,
        low=SMALLEST_BUDGET,
        high=32.0,
        shown=(0.5, 6.0),
        step=0.25,
        refusal="A budget of {value:g} bits per activation cannot be met; give more than 0 and at "
        "most 32.",
    ),
    "extra_bits": Whole(
        title="Extra bits m",
        option="--extra-bits",
        key="m",
        help="Bits that important channels keep beyond n; they are Huffman-coded.",
        default=3,
        low=0,
        high=MAX_EXTRA_BITS,
    ),
    "important": Real(
        title="Important ratio r",
        option="--important",
        key="r",
        help="Share of the channels of every layer that count as important.",
        default=0.4,
        low=0.0,
        high=1.0,
        shown=(0.0, 1.0),
        step=0.05,
        refusal="The important ratio is a fraction of the channels from 0 to 1, not {value}.",
    ),
    "criterion": OneOf(
        title="Criterion",
        option="--criterion",
        key="criterion",
        help="What makes a channel important; a is an activation, g the gradient of the loss with "
        "respect to it.",
        default="fisher",
        choices=tuple(CRITERIA),
        titles=tuple(criterion.title for criterion in CRITERIA.values()),
    ),
    "clip": OneOf(
        title="Range",
        option="--clip",
        key="clip",
        help="The largest value, the 99.9th percentile, or the least squared error.",
        default="max",
        aside=True,
        choices=CLIPS,
    ),
    "unsigned": Switch(
        title="Unsigned after ReLU",
        option="--unsigned",
        key="unsigned",
        help="Where nothing is negative, all levels lie at or above zero.",
        default=False,
        aside=True,
    ),
    "scales": OneOf(
        title="Scales",
        option="--scales",
        key="scales",
        help="Dynamic: from each input, as the paper does. Frozen: from calibration.",
        default="dynamic",
        aside=True,
        choices=SCALES,
    ),
    "depth": OneOf(
        title="Depth",
        option="--depth",
        key="depth",
        help="How many blocks of the super-network are computed: all, half or a quarter.",
        default="full",
        aside=True,
        choices=tuple(DEPTHS),
    ),
}
"""By the field of `Settings`, in the order in which they are asked for."""
