"""Which channels matter: criteria and the paper's greedy search behind one function, `rank`."""

from quantlib.importance.rank import rank
from quantlib.importance.ranking import Ranking

__all__ = ["Ranking", "rank"]
