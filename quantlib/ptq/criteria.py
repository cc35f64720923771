"""What makes a channel important: the criteria, each with its title and formula."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Criterion:
    """`formula` is a channel's score, where a is an activation and g the gradient of the loss."""

    title: str
    formula: str


CRITERIA: dict[str, Criterion] = {
    "fisher": Criterion("Fisher", "Σ g²"),
    "saliency": Criterion("Saliency", "Σ |a|·|g|"),
    "energy": Criterion("Energy", "Σ a²"),
    "gain": Criterion("Gain", "error that m extra bits remove, times Σ |g|"),
    "random": Criterion("Random", "no formula"),
    "greedy": Criterion(
        "Greedy", "the paper's search (algorithm 3): PSNR when one channel is spared"
    ),
}
SEARCHED = "greedy"
"""The criterion that takes a search instead of one pass."""
