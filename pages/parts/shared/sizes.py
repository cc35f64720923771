"""Sizes in words."""

from quantlib.evaluation.ledger import Ledger


def size_of(ledger: Ledger) -> str:
    """How large the activations are."""
    return (
        f"{ledger.bits_per_activation:.2f} bits per activation, "
        f"{ledger.ratio:.1f} times smaller than FP32"
    )
