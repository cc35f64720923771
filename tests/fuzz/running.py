"""What every fuzz engine's command line does: `python -m tests.fuzz.NAME --count N --seed S`."""

import argparse
import sys
from collections.abc import Callable, Iterator

import numpy as np

from tests.fuzz.measuring import Handle, Outcome, outcomes, row

Make = Callable[[np.random.Generator], bytes]


def found(make: Make, handle: Handle, count: int, seed: int) -> list[Outcome]:
    """What came of `count` inputs; number i is `make(default_rng((seed, i)))`."""
    return list(outcomes(handle, _inputs(make, count, seed)))


def main(what: str, make: Make, handle: Handle, count: int) -> None:
    """Prints the row and what went wrong, and exits with 1 where anything did."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=count)
    parser.add_argument("--seed", type=int, default=None, help="a new one where none is named")
    options = parser.parse_args()
    seed = (
        options.seed if options.seed is not None else int(np.random.default_rng().integers(2**31))
    )
    print(f"{what}: --count {options.count} --seed {seed}", flush=True)
    came = found(make, handle, options.count, seed)
    print(row(what, came))
    wrong = [outcome for outcome in came if not outcome.is_well]
    for outcome in wrong:
        print(f"  input {(seed, outcome.at)}: {outcome}")
    sys.exit(bool(wrong))


def _inputs(make: Make, count: int, seed: int) -> Iterator[bytes]:
    for at in range(count):
        yield make(np.random.default_rng((seed, at)))
