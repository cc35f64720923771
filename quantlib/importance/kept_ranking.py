"""A ranking as bytes, to be kept."""

import json

import numpy as np
import torch
from safetensors import numpy as safetensors

from quantlib.importance.ranking import Ranking

_FACTS = "facts"


def to_bytes(ranking: Ranking) -> bytes:
    """The ranking as a safetensors file.

    >>> ranking = Ranking("energy", {"conv": torch.tensor([1.0, 3.0])}, seconds=0.1)
    >>> from_bytes(to_bytes(ranking)).scores["conv"].tolist()
    [1.0, 3.0]
    """
    facts = {"criterion": ranking.criterion, "seconds": ranking.seconds}
    arrays = {f"scores {site}": scores.numpy() for site, scores in ranking.scores.items()}
    order = list(ranking.scores)
    return safetensors.save(
        arrays | {_FACTS: np.frombuffer(json.dumps(facts | {"sites": order}).encode(), np.uint8)}
    )


def from_bytes(content: bytes) -> Ranking:
    arrays = safetensors.load(content)
    facts = json.loads(arrays[_FACTS].tobytes())
    scores = {site: torch.from_numpy(arrays[f"scores {site}"]) for site in facts["sites"]}
    return Ranking(facts["criterion"], scores, facts["seconds"])
