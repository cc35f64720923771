"""What the chosen settings are compared with, and their measurements."""

from dataclasses import replace

from pages.parts.shared.progress import results
from pages.parts.super_resolution.measuring import known_search
from pages.parts.super_resolution.network_forms import ready_bits, reference_depth
from pages.parts.super_resolution.sidebar import Choices
from pages.parts.super_resolution.waiting import UnderWay
from quantlib.ptq import Settings, methods
from quantlib.ptq.criteria import SEARCHED
from quantlib.tasks.super_resolution import Measurement

STRIP = (8, 6, 5, 4, 3, 2)
BUDGETS = (4.0, 3.0, 2.0, 1.5, 1.0)


def all_settings(choices: Choices) -> list[Settings]:
    """Everything that the page shows of these choices, in the order in which it is drawn."""
    settings = choices.settings
    if not settings.entry.quantizes:
        return [full_precision(choices), settings]
    direct = plain(choices)
    series = [*at_all_bits(choices, settings), *at_all_bits(choices, direct)]
    return [full_precision(choices), settings, direct, *series]


def full_precision(choices: Choices) -> Settings:
    """What the choice is compared with: activations in full precision, at the same depth."""
    return Settings(methods.FP32.name, depth=reference_depth(choices.network, choices.settings))


def plain(choices: Choices) -> Settings:
    """Direct quantization with the chosen bits, at the same depth."""
    return replace(full_precision(choices), method=methods.DIRECT.name, bits=choices.settings.bits)


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


def series_of(
    choices: Choices, under_way: UnderWay, settings: Settings
) -> dict[float, Measurement]:
    """Measurements by bits."""
    wanted = [one for one in at_all_bits(choices, settings) if one in under_way]
    found = results(under_way, wanted, f"{settings.entry.title} at other bits")
    return {one.rate: measurement for one, measurement in zip(wanted, found, strict=True)}
