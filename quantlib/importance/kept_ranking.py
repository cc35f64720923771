"""A ranking as bytes, to be kept."""

import torch

from quantlib.importance.ranking import Ranking
from quantlib.kept import record


def to_bytes(ranking: Ranking) -> bytes:
    """The ranking as a record.

    >>> ranking = Ranking("energy", {"conv": torch.tensor([1.0, 3.0])}, seconds=0.1)
    >>> from_bytes(to_bytes(ranking)).scores["conv"].tolist()
    [1.0, 3.0]
    """
    facts = {"criterion": ranking.criterion, "seconds": ranking.seconds}
    return record.to_bytes(facts, {site: scores.numpy() for site, scores in ranking.scores.items()})


def from_bytes(content: bytes) -> Ranking:
    facts, arrays = record.from_bytes(content)
    scores = {site: torch.from_numpy(array) for site, array in arrays.items()}
    return Ranking(scores=scores, **facts)
