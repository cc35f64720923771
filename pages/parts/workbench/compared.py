"""What the chosen settings are compared with, and their measurements."""

from dataclasses import replace

from pages.parts.shared.progress import results
from pages.parts.super_resolution.series import at_all_bits, full_precision
from pages.parts.super_resolution.sidebar import Choices
from pages.parts.super_resolution.waiting import UnderWay
from quantlib.ptq import Settings, methods
from quantlib.tasks.super_resolution import Measurement


def all_settings(choices: Choices) -> list[Settings]:
    """Everything that the page shows of these choices, in the order in which it is drawn."""
    settings = choices.settings
    if not settings.entry.quantizes:
        return [full_precision(choices), settings]
    direct = plain(choices)
    series = [*at_all_bits(choices, settings), *at_all_bits(choices, direct)]
    return [full_precision(choices), settings, direct, *series]


def plain(choices: Choices) -> Settings:
    """Direct quantization with the chosen bits, at the same depth."""
    return replace(full_precision(choices), method=methods.DIRECT.name, bits=choices.settings.bits)


def series_of(
    choices: Choices, under_way: UnderWay, settings: Settings
) -> dict[float, Measurement]:
    """Measurements by bits."""
    wanted = [one for one in at_all_bits(choices, settings) if one in under_way]
    found = results(under_way, wanted, f"{settings.entry.title} at other bits")
    return {one.rate: measurement for one, measurement in zip(wanted, found, strict=True)}
