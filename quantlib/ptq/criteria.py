"""What makes a channel important: the criteria, each with its title and formula."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Criterion:
    """`formula` is a channel's score, where a is an activation and g the gradient of the loss.

    `quantizes_with` names the settings that scores depend on, because activations are quantized.
    """

    title: str
    formula: str
    quantizes_with: tuple[str, ...] = ()


CRITERIA: dict[str, Criterion] = {
    "fisher": Criterion("Fisher", "Σ g²"),
    "saliency": Criterion("Saliency", "Σ |a|·|g|"),
    "energy": Criterion("Energy", "Σ a²"),
    "gain": Criterion(
        "Gain", "error that m extra bits remove, times Σ |g|", ("bits", "extra_bits")
    ),
    "random": Criterion("Random", "no formula"),
    "greedy": Criterion(
        "Greedy", "the paper's search (algorithm 3): PSNR when one channel is spared", ("bits",)
    ),
}
SEARCHED = "greedy"
"""The criterion that takes a search instead of one pass."""
