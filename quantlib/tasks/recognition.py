"""What evaluating a classifier and a segmenter have in common."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from torch import Tensor

from quantlib.errors import QuantlibError
from quantlib.importance import Ranking
from quantlib.importance.example import Example
from quantlib.ptq import QuantizedNetwork, Settings
from quantlib.tasks.budget import Measured, within_budget

T = TypeVar("T")


def run(network: QuantizedNetwork, x: Tensor, count_bytes: bool = True) -> Measured:
    """The output for one batch and the bytes of its activations; no bytes if not `count_bytes`.

    Entropy-coded activations keep to their budget, which takes counting.
    """
    if network.settings.entry.budgeted:
        return within_budget(network, [x], lambda quantized: quantized.measure(x))
    return network.measure(x) if count_bytes else (network(x), {})


def needs_examples(settings: Settings, ranking: Ranking | None) -> bool:
    """Whether labelled pictures have to be looked at before the network can be quantized."""
    ranks = settings.needs_ranking and ranking is None and settings.criterion != "random"
    return settings.entry.budgeted or settings.needs_calibration or ranks


def examples_for(
    settings: Settings,
    ranking: Ranking | None,
    calibration: T | None,
    made: Callable[[T], Sequence[Example]],
    kind: str,
) -> Sequence[Example]:
    """What `made` makes of the calibration pictures, nothing where they are not needed.

    Raises a `QuantlibError` where pictures of this `kind` are needed and there are none.
    """
    if not needs_examples(settings, ranking):
        return []
    if calibration is None:
        raise QuantlibError(
            f"{settings.summary} needs {kind} calibration pictures; give some that are not "
            "evaluated."
        )
    return made(calibration)
