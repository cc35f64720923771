"""How long real integers take for what the workbench shows."""

from pages.parts.shared.caching import shared
from pages.parts.shared.worker import on_worker
from pages.parts.super_resolution.measuring import at_runtime, name_of, quantized
from pages.parts.super_resolution.sidebar import Choices
from pages.parts.workbench.compared import full_precision
from quantlib.errors import QuantlibError
from quantlib.imaging.tensors import to_tensor
from quantlib.requirement import in_turns
from quantlib.runtime.choice import INTEGER, Runtime, has_integers

ROUNDS = 3


def integer_time(choices: Choices) -> str:
    """How long integers take for this picture, in one sentence; measured once, on one core."""
    settings = choices.settings
    if not settings.entry.quantizes:
        return ""
    if not has_integers(settings):
        return (
            f"{settings.summary} has no form in integers: this is simulated in floating point. "
            "Speed shows which methods have one."
        )
    subject, network = choices.subject, choices.network
    name = name_of(subject, network, settings)
    try:
        seconds = _seconds(name, choices.runtime.ends, choices)
    except QuantlibError as error:  # a network none of whose layers runs as integers
        return str(error)
    return (
        f"As real integers this picture takes {1000 * seconds[INTEGER]:,.0f} ms, "
        f"{seconds['FP32'] / seconds[INTEGER]:.2f} times as fast as FP32 in PyTorch "
        f"(median of {ROUNDS}, one core, measured here now)."
    )


@shared(megabytes=1)
def _seconds(name: tuple, ends: str, _choices: Choices) -> dict[str, float]:
    low = to_tensor(_choices.subject.low)
    integers = at_runtime(_choices.network, _choices.settings, Runtime(INTEGER, ends))
    full = quantized(_choices.network, full_precision(_choices))
    return on_worker(in_turns, {"FP32": lambda: full(low), INTEGER: lambda: integers(low)}, ROUNDS)
