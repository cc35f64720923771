"""What a person chooses of how a quantized network is computed, in one table as settings are."""

from dataclasses import dataclass

from quantlib.errors import QuantlibError
from quantlib.ptq import Settings
from quantlib.ptq.parameters import OneOf, Parameter
from quantlib.runtime.forms import onnx_form, require_integers
from quantlib.runtime.integer import ENDS

SIMULATED, INTEGER, ONNX = RUNTIMES = ("torch", "integer", "onnx")

CHOICES: dict[str, Parameter] = {
    "runtime": OneOf(
        title="Runtime",
        option="--runtime",
        key="runtime",
        help="PyTorch simulates the bits; integer adds up real integers, on the CPU; onnx does so "
        "in ONNX Runtime.",
        default=SIMULATED,
        choices=RUNTIMES,
        titles=("PyTorch, simulated", "Integers", "ONNX Runtime"),
    ),
    "ends": OneOf(
        title="Ends",
        option="--ends",
        key="ends",
        help="With --runtime integer: what becomes of the layers that no quantizer was learned "
        "for.",
        default=ENDS[0],
        choices=ENDS,
        titles=("FP32", "8 bits"),
    ),
}
"""By the field of `Runtime`, but for its name."""


@dataclass(frozen=True)
class Runtime:
    """How a quantized network is computed: `name` is one of `RUNTIMES`, `ends` one of `ENDS`.

    >>> Runtime("integer").calibrates(Settings("direct", 8)), Runtime().calibrates(Settings("fp32"))
    (True, False)
    """

    name: str = SIMULATED
    ends: str = ENDS[0]

    def __post_init__(self) -> None:
        CHOICES["runtime"].check("runtime", self.name)
        CHOICES["ends"].check("ends", self.ends)

    @property
    def simulates(self) -> bool:
        """Whether PyTorch computes what the quantized network stands for, in floating point."""
        return self.name == SIMULATED

    def has_ends(self, settings: Settings) -> bool:
        """Whether the ends are a choice; ONNX has no layer that takes codes and gives FP32."""
        return self.name == INTEGER and settings.entry.learned

    def flags(self, settings: Settings) -> list[str]:
        """The command line's options that stand for this, with `settings`.

        >>> Runtime("integer").flags(Settings("direct", 8))
        ['--runtime', 'integer']
        """
        words = [] if self.simulates else CHOICES["runtime"].flags(self.name)
        return words + (CHOICES["ends"].flags(self.ends) if self.has_ends(settings) else [])

    @property
    def reads_files(self) -> bool:
        """Whether a network may be an exported file."""
        return self.name == ONNX

    def check(self, settings: Settings) -> None:
        """A QuantlibError where `settings` do not run there, before any work."""
        if self.name == INTEGER:
            require_integers(settings)
        elif self.name == ONNX:
            onnx_form(settings)

    def calibrates(self, settings: Settings) -> bool:
        """Whether ranges are measured on pictures before a network with `settings` can run."""
        return not self.simulates and settings.entry.quantizes


IN_PYTORCH = Runtime()


def has_integers(settings: Settings) -> bool:
    """Whether a network with these settings runs as integers.

    >>> has_integers(Settings("direct", 8)), has_integers(Settings("direct", 3))
    (True, False)
    """
    try:
        require_integers(settings)
    except QuantlibError:
        return False
    return True
