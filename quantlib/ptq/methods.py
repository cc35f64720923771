"""The shelf of quantization methods: what all others need to know of each.

A method is added by an entry in `METHODS`; nobody outside asks for one by its name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from quantlib.errors import QuantlibError
from quantlib.ptq import fitting, standing
from quantlib.ptq.fitting import Fit, Freeze
from quantlib.ptq.sites import Site, SiteNetwork
from quantlib.quantizers.quantizer import Quantizer

Numbers = tuple[float, ...]
Refined = tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Variant:
    """A method with some settings changed: a line of the tables and charts.

    `line` is its name in the ablation, where `{criterion}` stands for what channels are ranked by,
    `family` that on the memory page; a variant without one of them is left out there. `rates` are
    the bits, or budgets, at which the memory page measures it, with all `refined` pairs (m, r) of
    methods that rank. `slow` ones are measured on demand. `dash` and `symbol` tell it from others.
    """

    line: str = ""
    family: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)
    rates: Numbers = (2, 3, 4, 5, 6, 7, 8)
    refined: Refined = ((3, 0.4),)
    slow: bool = False
    dash: str = "solid"
    symbol: str = "circle"
    width: int = 2


@dataclass(frozen=True)
class Method:
    """One method. `noun` stands in "4-bit …", `parameters` are the fields of `Settings` it takes.

    Scales come from each input where there is `fit`, from calibration where there is `freeze`;
    `stands` is at work whatever comes. `ranks` channels: each site needs its important ones.
    `budgeted`: bits per activation are given, and steps are allocated so that they are kept.
    `learned`: the network brings its quantizers along. `codes_base`: base codes are entropy-coded.
    `integer_bits` are those at which it also runs as real integers, with one scale per tensor.
    `published` is its name in published tables, `colour` its place among the theme's.
    """

    name: str
    title: str
    noun: str
    sentence: str
    parameters: tuple[str, ...] = ()
    fit: Fit | None = None
    freeze: Freeze | None = None
    stands: Callable[[SiteNetwork, Site], Quantizer] | None = None
    ranks: bool = False
    budgeted: bool = False
    learned: bool = False
    codes_base: bool = False
    integer_bits: tuple[int, ...] = ()
    variants: tuple[Variant, ...] = ()
    published: str = ""
    colour: int = 0
    joined: bool = True

    def takes(self, parameter: str) -> bool:
        return parameter in self.parameters

    @property
    def varied(self) -> tuple[str, ...]:
        """The parameters that tell its variants from each other."""
        return tuple(dict.fromkeys(name for one in self.variants for name in one.changes))

    def variant(self, changes: Mapping[str, Any]) -> Variant | None:
        """The variant with exactly these `changes` from the defaults."""
        return next((one for one in self.variants if one.changes == changes), None)

    @property
    def quantizes(self) -> bool:
        """Whether fewer than 32 bits are stored."""
        return bool(self.parameters)

    @property
    def shifts(self) -> bool:
        """Whether important channels have extra bits that are shifted out."""
        return self.takes("extra_bits")

    @property
    def is_plain(self) -> bool:
        """Whether n bits say all: nothing is ranked, allocated or learned."""
        return self.quantizes and not (self.ranks or self.budgeted or self.learned)

    @property
    def needs_calibration(self) -> bool:
        """Whether there are no scales without calibration."""
        return self.fit is None and self.freeze is not None

    @property
    def freezes(self) -> bool:
        """Whether scales may come from calibration."""
        return self.freeze is not None


ALL_REFINED: Refined = tuple((m, r) for m in (1, 2, 3) for r in (0.2, 0.4, 0.6, 0.8))
"""DQA's extra bits and ratios that the memory page measures when all are asked for."""

FP32 = Method(
    "fp32",
    "FP32",
    "FP32",
    "Full precision: every activation takes 32 bits.",
    stands=standing.unquantized,
    variants=(Variant(line="FP32"),),
    published="FP32",
    colour=2,
)
DIRECT = Method(
    "direct",
    "Direct",
    "direct",
    "Uniform codes, one scale per channel.",
    ("bits", "clip", "unsigned", "scales"),
    fit=fitting.uniform,
    freeze=fitting.frozen_uniform,
    integer_bits=(8,),
    variants=(
        Variant("direct", "plain uniform", width=3),
        Variant("direct, unsigned", "uniform, unsigned", {"unsigned": True}, dash="dash"),
        Variant(
            "",
            "uniform, MSE clip",
            {"clip": "mse"},
            rates=(2, 3, 4, 6),
            dash="dot",
            symbol="square",
        ),
        Variant(
            "direct, unsigned, MSE clip",
            "uniform, unsigned, MSE clip",
            {"unsigned": True, "clip": "mse"},
            rates=(),
            dash="dashdot",
        ),
    ),
    published="Direct",
)
POWER_OF_TWO = Method(
    "pot",
    "Power-of-two",
    "power-of-two",
    "Levels at powers of two, one scale per channel.",
    ("bits", "scales"),
    fit=fitting.power_of_two,
    freeze=fitting.frozen_power_of_two,
    variants=(Variant("power-of-two", "power-of-two", rates=(2, 3, 4), symbol="triangle-up"),),
    published="Power-of-two",
    colour=2,
)
NOISYQUANT = Method(
    "noisyquant",
    "NoisyQuant",
    "NoisyQuant",
    "A fixed noise is added before rounding and removed after it.",
    ("bits",),
    freeze=fitting.frozen_noisyquant,
    variants=(Variant("NoisyQuant", "NoisyQuant", slow=True),),
    published="NoisyQuant",
    colour=3,
)
DQA = Method(
    "dqa",
    "DQA",
    "DQA",
    "Important channels keep extra bits, which are shifted out and Huffman-coded.",
    ("bits", "extra_bits", "important", "criterion", "scales"),
    fit=fitting.dqa,
    freeze=fitting.frozen_dqa,
    ranks=True,
    variants=(
        Variant(
            "{criterion}",
            "DQA",
            rates=(2, 3, 4, 5),
            refined=((1, 0.4), (3, 0.2), (3, 0.4), (3, 0.8)),
            symbol="diamond",
        ),
    ),
    published="eDQA",
    colour=1,
    joined=False,
)
CODED_DQA = Method(
    "dqa-ans",
    "DQA, base codes entropy-coded",
    "DQA, base codes entropy-coded",
    "DQA's values exactly; the n-bit codes are entropy-coded too, channel by channel.",
    DQA.parameters,
    fit=fitting.coded_dqa,
    freeze=fitting.frozen_coded_dqa,
    ranks=True,
    codes_base=True,
    variants=(
        Variant("{criterion}, coded base", "DQA, coded base", rates=(2, 3, 4, 5, 6), symbol="star"),
    ),
    published="eDQA",
    colour=1,
    joined=False,
)
ENTROPY = Method(
    "entropy",
    "Entropy coding",
    "entropy coding",
    "As coarse as the result can bear, layer by layer, and all codes entropy-coded.",
    ("bits_per_activation",),
    budgeted=True,
    variants=(Variant("entropy", "entropy coding", rates=(1.0, 1.5, 2.0, 3.0, 4.0, 6.0)),),
    colour=4,
)
RLQ = Method(
    "rlq",
    "RLQ",
    "RLQ",
    "Weights and activations both have few bits, with steps and shifts that were learned.",
    ("bits",),
    stands=standing.learned,
    learned=True,
    integer_bits=tuple(range(2, 9)),
    colour=5,
)

METHODS: dict[str, Method] = {
    method.name: method
    for method in (FP32, DIRECT, POWER_OF_TWO, NOISYQUANT, DQA, CODED_DQA, ENTROPY, RLQ)
}


def method(name: str) -> Method:
    """The entry called `name`; a QuantlibError where there is none.

    >>> method("dqa").title
    'DQA'
    """
    if name not in METHODS:
        raise QuantlibError(f"There is no method {name!r}; choose one of {', '.join(METHODS)}.")
    return METHODS[name]


def names(learned: bool = True) -> tuple[str, ...]:
    """All methods, or those that need no trained quantizers."""
    return tuple(name for name, entry in METHODS.items() if learned or not entry.learned)
