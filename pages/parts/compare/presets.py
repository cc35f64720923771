"""What stands in the panes beside full precision: questions to choose from."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from pages.parts.figures.viewer import MAX_PANES
from pages.parts.super_resolution.column import Column
from pages.parts.super_resolution.network_forms import depths_of, ready_bits
from pages.parts.super_resolution.series import as_it_begins, at_all_bits, full_precision
from pages.parts.super_resolution.sidebar import Choices
from quantlib.ptq import Settings, methods
from quantlib.qat.scheme import LEARNED, RIVALS

ROOM = MAX_PANES - 1


def fewer_bits(choices: Choices) -> list[Column]:
    """The chosen method with fewer and fewer bits, from the most to the fewest."""
    if not choices.settings.entry.quantizes:
        return []
    series = at_all_bits(choices, choices.settings)
    while len(series) > ROOM:
        del series[2]  # of 8, 6, 5, 4, 3 and 2 bits: 5
    return [_column(choices, one) for one in series]


def same_bits(choices: Choices) -> list[Column]:
    """The methods that are fitted to the picture, each at the chosen bits, others as they begin."""
    return [_column(choices, one) for one in _fitted_at(choices, choices.settings.bits)]


def same_bytes(choices: Choices) -> list[Column]:
    """The chosen settings, and the others fitted so that they take as many bytes."""
    chosen = choices.settings
    if not chosen.entry.quantizes:
        return []
    wanted = list(dict.fromkeys([chosen, *_fitted_at(choices, chosen.bits)]))
    more_plain = [one for one in wanted if one.entry.is_plain and one != chosen][1:]
    if len(wanted) > ROOM:
        wanted = [one for one in wanted if one not in more_plain]
    columns = [_column(choices, one) for one in wanted]
    return [c if c.settings == chosen else replace(c, like=chosen) for c in columns]


def learned_too(choices: Choices) -> list[Column]:
    """Direct quantization after training beside RLQ, at each of RLQ's bits that are ready."""
    found = []
    for bits in sorted(ready_bits(choices.network), reverse=True)[-2:]:
        found += [
            replace(full_precision(choices), method=methods.DIRECT.name, bits=bits),
            Settings(methods.RLQ.name, bits),
        ]
    return [_column(choices, one) for one in found]


def rivals(choices: Choices) -> list[Column]:
    """RLQ beside the methods that need no training, at as many bits for activations."""
    ready = sorted(ready_bits(choices.network))
    if not ready:
        return []
    chosen = choices.settings
    own = chosen.entry.learned and chosen.bits in ready
    bits = chosen.bits if own else ready[len(ready) // 2]
    others = [
        replace(full_precision(choices), method=name, bits=bits)
        for name, entry in methods.METHODS.items()
        if entry.quantizes and not (entry.learned or entry.budgeted or entry.codes_base)
    ]
    return [_column(choices, one) for one in (Settings(methods.RLQ.name, bits), *others)]


def depths(choices: Choices) -> list[Column]:
    """RLQ, with the fewest bits that are ready, at every depth of the network."""
    bits = min(ready_bits(choices.network), default=0)
    names = depths_of(choices.network, methods.RLQ.name) if bits else ()
    return [_column(choices, Settings(methods.RLQ.name, bits, depth=name)) for name in names]


def _column(choices: Choices, settings: Settings) -> Column:
    return Column(choices.network.name, settings)


def _fitted_at(choices: Choices, bits: int) -> list[Settings]:
    """Every method that is fitted to the picture, at `bits`; the chosen one as it was chosen."""
    chosen = choices.settings
    return [
        chosen if entry is chosen.entry else as_it_begins(choices, entry, bits)
        for entry in methods.METHODS.values()
        if entry.quantizes and not entry.learned and not entry.needs_calibration
    ]


@dataclass(frozen=True)
class Preset:
    """A question, and the columns that answer it, beside full precision.

    `alone` is said where there are none, `note` where there are.
    """

    title: str
    beside: Callable[[Choices], list[Column]]
    alone: str
    note: str = ""

    def columns(self, choices: Choices) -> list[Column]:
        """Full precision first."""
        return [_column(choices, full_precision(choices)), *self.beside(choices)[:ROOM]]


UNLEARNED = (
    "RLQ has not learned this network: choose a bundled EDSR, or let it learn on the workbench."
)
UNSHIPPED = (
    f"No weights that RLQ's rivals trained ({', '.join(LEARNED[one].title for one in RIVALS)}) are "
    "bundled: what they reach under the same conditions stands on the Results page. Here RLQ is "
    "beside methods that need no training; their weights stay in full precision."
)
FITTED = (
    "Whole bits come as near to those bytes as they can; the share of important channels, or the "
    "budget, is fitted to this picture."
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
        Preset(
            "Same bytes",
            same_bytes,
            "The others are fitted to the bytes of the chosen method: choose one that quantizes.",
            FITTED,
        ),
        Preset("After training or learned", learned_too, UNLEARNED),
        Preset("RLQ and its rivals", rivals, UNLEARNED, UNSHIPPED),
        Preset("Depths", depths, UNLEARNED),
    )
}
