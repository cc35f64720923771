"""What a person chooses: the method and its numbers."""

from dataclasses import dataclass

from quantlib.errors import QuantlibError
from quantlib.qat.depth import DEPTHS
from quantlib.quantizers.uniform import CLIPS, Clip

METHODS = ("fp32", "direct", "pot", "noisyquant", "dqa", "dqa-ans", "entropy", "rlq")
DQA_METHODS = ("dqa", "dqa-ans")
CRITERIA = ("greedy", "random", "energy", "saliency", "fisher", "gain")
SCALES = ("dynamic", "frozen")
MIN_BITS, MAX_BITS, MAX_EXTRA_BITS = 2, 8, 4


@dataclass(frozen=True)
class Settings:
    """Activation quantization of a whole network, which runs at one of its depths.

    `extra_bits`, `important` and `criterion` belong to DQA, whose base codes `dqa-ans` codes with
    ANS instead of packing them; `clip` and `unsigned` to direct quantization, where `unsigned`
    gives activations that are never negative all 2^n levels.
    `entropy` spends `bits_per_activation` on average, where they buy most, whatever `bits` says.
    With `rlq` the network's own learned quantizers are at work, at the bits it was trained with.
    Scales are dynamic (from each input, as DQA's paper computes them) or frozen by calibration.

    >>> Settings("dqa", bits=3).summary
    '3-bit DQA'
    """

    method: str = "dqa"
    bits: int = 4
    extra_bits: int = 3
    important: float = 0.4
    criterion: str = "fisher"
    clip: Clip = "max"
    unsigned: bool = False
    scales: str = "dynamic"
    depth: str = "full"
    bits_per_activation: float = 2.0

    def __post_init__(self) -> None:
        _one_of("method", self.method, METHODS)
        _one_of("criterion", self.criterion, CRITERIA)
        _one_of("clip", self.clip, CLIPS)
        _one_of("scales", self.scales, SCALES)
        _one_of("depth", self.depth, tuple(DEPTHS))
        _whole("bits", self.bits, MIN_BITS, MAX_BITS)
        _whole("extra_bits", self.extra_bits, 0, MAX_EXTRA_BITS)
        if not 0 <= self.important <= 1:
            raise QuantlibError(
                f"The important ratio is a fraction of the channels from 0 to 1, "
                f"not {self.important}."
            )

        if not 0 < self.bits_per_activation <= 32:
            raise QuantlibError(
                f"A budget of {self.bits_per_activation:g} bits per activation cannot be met; give "
                "more than 0 and at most 32."
            )

    @property
    def summary(self) -> str:
        names = {
            "direct": "direct",
            "pot": "power-of-two",
            "noisyquant": "NoisyQuant",
            "dqa": "DQA",
            "dqa-ans": "DQA, base codes entropy-coded",
            "rlq": "RLQ",
        }
        if self.method == "fp32":
            return "FP32"
        if self.method == "entropy":
            return f"{self.bits_per_activation:g}-bit entropy coding"
        return f"{self.bits}-bit {names[self.method]}"

    @property
    def is_dqa(self) -> bool:
        """Whether important channels get extra bits, however they are stored."""
        return self.method in DQA_METHODS

    @property
    def needs_ranking(self) -> bool:
        return self.is_dqa

    @property
    def needs_calibration(self) -> bool:
        """Whether scales (or NoisyQuant's noise) come from calibration pictures."""
        return self.method == "noisyquant" or (
            self.scales == "frozen" and self.method not in ("fp32", "entropy", "rlq")
        )


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise QuantlibError(f"There is no {name} {value!r}; choose one of {', '.join(choices)}.")


def _whole(name: str, value: int, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise QuantlibError(f"{name} has to be a whole number from {low} to {high}, not {value}.")
