"""What stands in the panes beside full precision: series of settings to choose from."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from pages.parts.figures.viewer import MAX_PANES
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


@dataclass(frozen=True)
class Preset:
    """A question, and the settings that answer it, beside full precision."""

    title: str
    beside: Callable[[Choices], list[Settings]]

    def columns(self, choices: Choices) -> list[Settings]:
        """Full precision first; where there is not room for all, the last ones differ most."""
        return [full_precision(choices), *self.beside(choices)[1 - MAX_PANES :]]


PRESETS = {
    preset.title: preset
    for preset in (Preset("Fewer and fewer bits", fewer_bits), Preset("Same bits", same_bits))
}
