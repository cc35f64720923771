"""Settings that go with the chosen ones: full precision, and fewer and fewer bits."""

from dataclasses import replace

from pages.parts.super_resolution.measuring import known_search
from pages.parts.super_resolution.network_forms import ready_bits, reference_depth
from pages.parts.super_resolution.sidebar import Choices
from quantlib.ptq import Settings, methods
from quantlib.ptq.criteria import SEARCHED
from quantlib.ptq.methods import Method
from quantlib.ptq.parameters import PARAMETERS

STRIP = (8, 6, 5, 4, 3, 2)
BUDGETS = (4.0, 3.0, 2.0, 1.5, 1.0)


def full_precision(choices: Choices) -> Settings:
    """What the choice is compared with: activations in full precision, at the same depth."""
    return Settings(methods.FP32.name, depth=reference_depth(choices.network, choices.settings))


def as_it_begins(choices: Choices, entry: Method, bits: int) -> Settings:
    """The method `entry` at `bits`, all else as its widgets begin, at the depth of the choice."""
    taken = {one: p.begins_with for one, p in PARAMETERS.items() if entry.takes(one)}
    rate = {"bits_per_activation": float(bits)} if entry.budgeted else {}
    numbers = taken | {"bits": bits} | rate
    return replace(full_precision(choices), method=entry.name, **numbers)


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
