"""Two methods on the same pictures, or under the same seeds: what their differences say."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev

from scipy.stats import wilcoxon

from quantlib.errors import QuantlibError


@dataclass(frozen=True)
class Paired:
    """The differences of paired scores, one minus the other, in the scores' unit.

    >>> pairs = Paired.of([30.2, 31.4, 29.9], [30.0, 31.0, 30.0])
    >>> round(pairs.mean, 3), pairs.above, len(pairs.differences)
    (0.167, 2, 3)
    """

    differences: tuple[float, ...]

    @classmethod
    def of(cls, one: Sequence[float], other: Sequence[float]) -> "Paired":
        """Raises a QuantlibError unless there are as many of the one as of the other."""
        if len(one) != len(other) or not one:
            raise QuantlibError(
                f"{len(one)} scores cannot be paired with {len(other)}; "
                "measure both methods on the same pictures."
            )
        return cls(tuple(a - b for a, b in zip(one, other, strict=True)))

    @property
    def mean(self) -> float:
        return fmean(self.differences)

    @property
    def deviation(self) -> float | None:
        """The sample standard deviation; one pair has none."""
        return stdev(self.differences) if len(self.differences) > 1 else None

    @property
    def standard_error(self) -> float | None:
        """That of the mean; one pair has none."""
        spread = self.deviation
        return None if spread is None else spread / sqrt(len(self.differences))

    @property
    def above(self) -> int:
        """How many differences are above zero."""
        return sum(difference > 0 for difference in self.differences)

    @property
    def p_value(self) -> float | None:
        """Of Wilcoxon's signed-rank test (1945), two-sided; None where nothing differs."""
        if not any(self.differences):
            return None
        return float(wilcoxon(self.differences).pvalue)  # type: ignore[attr-defined]
