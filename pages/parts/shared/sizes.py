"""Sizes in words."""

from quantlib.evaluation.ledger import Ledger
from quantlib.ptq import Settings


def size_of(ledger: Ledger) -> str:
    """How large the activations are."""
    return (
        f"{ledger.bits_per_activation:.2f} bits per activation, "
        f"{ledger.ratio:.1f} times smaller than FP32"
    )


def why_more_bits(settings: Settings, ledger: Ledger) -> str:
    """Why activations take more bits than `settings` say, where some layers stay unquantized."""
    left = ledger.left
    if not settings.entry.quantizes or not left:
        return ""
    share = sum(sizes.fp32 for sizes in left.values()) / ledger.total.fp32
    return (
        f"{settings.summary} counts {ledger.bits_per_activation:.2f} bits per activation: "
        f"{len(left)} of {len(ledger.sites)} layers, at the ends of the network, stay in full "
        f"precision, and their {share:.0%} of the activations count with 32 bits each."
    )
