"""The result of ranking a network's channels."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from quantlib.errors import QuantlibError


@dataclass(frozen=True, eq=False)
class Ranking:
    """Scores `(C,)` per site (higher is more important) and what they cost.

    >>> ranking = Ranking("energy", {"conv": torch.tensor([1.0, 3.0, 2.0])}, seconds=0.1)
    >>> ranking.order("conv").tolist(), ranking.mask("conv", 0.34).tolist()
    ([1, 2, 0], [False, True, False])
    """

    criterion: str
    scores: dict[str, Tensor]
    seconds: float

    def order(self, site: str) -> Tensor:
        """Channels from the most to the least important."""
        return torch.argsort(self.scores[site], descending=True, stable=True)

    def inverse(self) -> "Ranking":
        """The same scores with the least important channels first, as a control."""
        scores = {site: -scores for site, scores in self.scores.items()}
        return Ranking(f"inverse {self.criterion}", scores, self.seconds)

    def mask(self, site: str, ratio: float) -> Tensor:
        """The important channels as a bool mask: the first round(ratio · C) of the order."""
        order = self.order(site)
        mask = torch.zeros(len(order), dtype=torch.bool)
        mask[order[: round(ratio * len(order))]] = True
        return mask

    def masks(self, ratio: float) -> dict[str, Tensor]:
        return {site: self.mask(site, ratio) for site in self.scores}

    def correlation(self, other: "Ranking") -> float:
        """Spearman's rank correlation with another ranking, averaged over the sites."""
        if self.scores.keys() != other.scores.keys():
            raise QuantlibError("Rankings of different networks cannot be compared.")
        return float(np.mean([_spearman(self.order(s), other.order(s)) for s in self.scores]))


def _spearman(a: Tensor, b: Tensor) -> float:
    if len(a) < 2:
        return 1.0
    ranks = [torch.argsort(order).double() for order in (a, b)]
    return torch.corrcoef(torch.stack(ranks))[0, 1].item()
