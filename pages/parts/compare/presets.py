"""What stands in the panes beside full precision: series of settings to choose from."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from pages.parts.figures.viewer import MAX_PANES
from pages.parts.super_resolution.network_forms import depths_of, ready_bits
from pages.parts.super_resolution.series import at_all_bits, full_precision
from pages.parts.super_resolution.sidebar import Choices
from quantlib.ptq import Settings, methods
from quantlib.ptq.parameters import PARAMETERS


def fewer_bits(choices: Choices) -> list[Settings]:
    """The chosen method with fewer and fewer bits."""
    return at_all_bits(choices, choices.settings) if choices.settings.entry.quantizes else []


def same_bits(choices: Choices) -> list[Settings]:
    """The methods that are fitted to the picture, each at the chosen bits, others as they begin."""
    chosen, full = choices.settings, full_precision(choices)
    found = []
    for name, entry in methods.METHODS.items():
        if entry.quantizes and not entry.learned and not entry.needs_calibration:
            taken = {one: p.begins_with for one, p in PARAMETERS.items() if entry.takes(one)}
            rate = {"bits_per_activation": float(chosen.bits)} if entry.budgeted else {}
            begun = replace(full, method=name, **taken | {"bits": chosen.bits} | rate)
            found.append(chosen if entry is chosen.entry else begun)
    return found


def learned_too(choices: Choices) -> list[Settings]:
    """Direct quantization after training beside RLQ, at each of RLQ's bits that are ready."""
    full = full_precision(choices)
    found = []
    for bits in sorted(ready_bits(choices.network), reverse=True)[-2:]:
        found += [
            replace(full, method=methods.DIRECT.name, bits=bits),
            Settings(methods.RLQ.name, bits),
        ]
    return found


def depths(choices: Choices) -> list[Settings]:
    """RLQ, with the fewest bits that are ready, at every depth of the network."""
    bits = min(ready_bits(choices.network), default=0)
    names = depths_of(choices.network, methods.RLQ.name) if bits else ()
    return [Settings(methods.RLQ.name, bits, depth=name) for name in names]


@dataclass(frozen=True)
class Preset:
    """A question, and the settings that answer it, beside full precision.

    `alone` is said where there are none.
    """

    title: str
    beside: Callable[[Choices], list[Settings]]
    alone: str

    def columns(self, choices: Choices) -> list[Settings]:
        """Full precision first; where there is not room for all, the last ones differ most."""
        return [full_precision(choices), *self.beside(choices)[1 - MAX_PANES :]]


UNLEARNED = (
    "RLQ has not learned this network: choose a bundled EDSR, or let it learn on the workbench."
)

PRESETS = {
    preset.title: preset
    for preset in (
        Preset(
            "Fewer and fewer bits",
            fewer_bits,
            "Full precision has no fewer bits: choose another method.",
        ),
        Preset("Same bits", same_bits, "No method has these bits: choose others."),
        Preset("After training or learned", learned_too, UNLEARNED),
        Preset("Depths", depths, UNLEARNED),
    )
}
