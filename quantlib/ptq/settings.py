"""What a person chooses: the method and its numbers."""

from dataclasses import dataclass
from typing import Any

from quantlib.ptq.methods import Method, method
from quantlib.ptq.parameters import PARAMETERS
from quantlib.quantizers.uniform import Clip


@dataclass(frozen=True)
class Settings:
    """Activation quantization of a whole network, which runs at one of its depths.

    Every method takes some of the numbers (`quantlib.ptq.methods`) and passes over the others:
    `extra_bits`, `important` and `criterion` belong to DQA, `clip` and `unsigned` to direct
    quantization, `bits_per_activation` to entropy coding. RLQ has the bits it was trained with.
    Scales are dynamic (from each input, as DQA's paper computes them) or frozen by calibration.

    >>> Settings("dqa", bits=3).summary
    '3-bit DQA'
    """

    method: str = "dqa"
    bits: int = PARAMETERS["bits"].default
    extra_bits: int = PARAMETERS["extra_bits"].default
    important: float = PARAMETERS["important"].default
    criterion: str = PARAMETERS["criterion"].default
    clip: Clip = PARAMETERS["clip"].default
    unsigned: bool = PARAMETERS["unsigned"].default
    scales: str = PARAMETERS["scales"].default
    depth: str = PARAMETERS["depth"].default
    bits_per_activation: float = PARAMETERS["bits_per_activation"].default

    def __post_init__(self) -> None:
        method(self.method)
        for name, parameter in PARAMETERS.items():
            parameter.check(name, getattr(self, name))

    @property
    def entry(self) -> Method:
        """The method as it stands on the shelf."""
        return method(self.method)

    @property
    def summary(self) -> str:
        entry = self.entry
        return f"{self.rate:g}-bit {entry.noun}" if entry.quantizes else entry.title

    @property
    def letters(self) -> str:
        """The settings in few letters, for names of files.

        >>> Settings("dqa", 3).letters, Settings("fp32").letters, Settings("rlq", 4).letters
        ('dqa-n3m3r40', 'fp32', 'rlq-n4')
        >>> Settings("direct", 2, clip="mse", depth="half").letters
        'direct-n2-mse-half'
        """
        entry = self.entry
        words = [self.method]
        if entry.budgeted:
            words.append(f"b{self.bits_per_activation:g}")
        elif entry.quantizes:
            ranked = f"m{self.extra_bits}r{self.important * 100:g}" if entry.ranks else ""
            words.append(f"n{self.bits}{ranked}")
        more = {"clip": self.clip, "scales": self.scales, "depth": self.depth}
        words += [value for name, value in more.items() if value != PARAMETERS[name].default]
        words += ["unsigned"] if self.unsigned else []
        criterion = self.criterion != PARAMETERS["criterion"].default
        words += [self.criterion] if entry.ranks and criterion else []
        return "-".join(words)

    @property
    def rate(self) -> float:
        """Bits as they were asked for: the budget per activation, or n."""
        return self.bits_per_activation if self.entry.budgeted else self.bits

    @property
    def changes(self) -> dict[str, Any]:
        """What tells this variant of the method from the plain one."""
        values = {name: getattr(self, name) for name in self.entry.varied}
        return {n: value for n, value in values.items() if value != PARAMETERS[n].default}

    @property
    def family(self) -> str:
        """The line of a chart that a point with these settings belongs to.

        >>> Settings("direct", clip="mse").family, Settings("direct", clip="percentile").family
        ('uniform, MSE clip', 'direct, percentile')
        """
        known = self.entry.variant(self.changes)
        if known and known.family:
            return known.family
        return ", ".join([self.entry.noun, *map(str, self.changes.values())])

    @property
    def needs_ranking(self) -> bool:
        return self.entry.ranks

    @property
    def needs_calibration(self) -> bool:
        """Whether scales (or NoisyQuant's noise) come from calibration pictures."""
        entry = self.entry
        return entry.needs_calibration or (self.scales == "frozen" and entry.freezes)

    def flags(self) -> list[str]:
        """The command line's options that stand for these settings.

        >>> Settings("dqa", 3, depth="half").flags()[:4], Settings("fp32").flags()
        (['--method', 'dqa', '--bits', '3'], ['--method', 'fp32'])
        """
        words = ["--method", self.method]
        for name, parameter in PARAMETERS.items():
            if name == "depth" or self.entry.takes(name):
                words += parameter.flags(getattr(self, name))
        return words
