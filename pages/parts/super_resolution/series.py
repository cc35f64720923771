"""Settings that go with the chosen ones: full precision, and fewer and fewer bits."""

from dataclasses import replace

from pages.parts.super_resolution.measuring import known_search
from pages.parts.super_resolution.network_forms import ready_bits, reference_depth
from pages.parts.super_resolution.sidebar import Choices
from quantlib.ptq import Settings, methods
from quantlib.ptq.criteria import SEARCHED

STRIP = (8, 6, 5, 4, 3, 2)
BUDGETS = (4.0, 3.0, 2.0, 1.5, 1.0)


def full_precision(choices: Choices) -> Settings:
    """What the choice is compared with: activations in full precision, at the same depth."""
    return Settings(methods.FP32.name, depth=reference_depth(choices.network, choices.settings))


def at_all_bits(choices: Choices, settings: Settings) -> list[Settings]:
    """The settings with fewer and fewer bits; of RLQ's and greedy's those that there are."""
    if settings.entry.budgeted:
        return [replace(settings, bits_per_activation=budget) for budget in BUDGETS]
    learned = settings.entry.learned
    known = sorted(ready_bits(choices.network), reverse=True) if learned else STRIP
    wanted = [replace(settings, bits=bits) for bits in known]
    if settings.needs_ranking and settings.criterion == SEARCHED:
        wanted = [one for one in wanted if known_search(choices.network, one)]
    return wanted
