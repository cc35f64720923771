"""What an engine is, and how its inputs are run."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tests.fuzz.measuring import Handle, Outcome, outcomes


@dataclass(frozen=True)
class Engine:
    """`make` gives a damaged input, `handle` is what the app does with one.

    `warm` runs before the memory of the process is taken for its base.
    """

    what: str
    make: Callable[[np.random.Generator], bytes]
    handle: Handle
    warm: Callable[[], object] | None = None

    def run(self, count: int, seed: int) -> list[Outcome]:
        """What came of `count` inputs; number i is `make(default_rng((seed, i)))`."""
        return list(outcomes(self.handle, self._inputs(count, seed), warm=self.warm))

    def _inputs(self, count: int, seed: int) -> Iterator[bytes]:
        for at in range(count):
            yield self.make(np.random.default_rng((seed, at)))
