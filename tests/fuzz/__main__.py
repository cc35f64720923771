"""Damaged inputs by the thousand: `python -m tests.fuzz --weights 600 --payloads 4000 --seed 1`."""

import argparse
import sys

import numpy as np

from tests.fuzz import graphs, payloads, pictures, tables, weights
from tests.fuzz.measuring import row

ENGINES = {
    "pictures": pictures.ENGINE,
    "weights": weights.ENGINE,
    "graphs": graphs.ENGINE,
    "payloads": payloads.ENGINE,
    "tables": tables.ENGINE,
}


def main() -> None:
    """Prints a row for each kind and what went wrong, and exits with 1 where anything did."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    for name, engine in ENGINES.items():
        parser.add_argument(f"--{name}", type=int, default=0, metavar="N", help=engine.what)
    parser.add_argument("--seed", type=int, default=None, help="a new one where none is named")
    options = parser.parse_args()
    seed = options.seed
    if seed is None:
        seed = int(np.random.default_rng().integers(2**31))
    print(f"--seed {seed}", flush=True)
    went_wrong = False
    for name, engine in ENGINES.items():
        if count := getattr(options, name):
            came = engine.run(count, seed)
            print(row(engine.what, came), flush=True)
            for outcome in came:
                if not outcome.is_well:
                    print(f"  {name} {(seed, outcome.at)}: {outcome}", flush=True)
                    went_wrong = True
    sys.exit(went_wrong)


if __name__ == "__main__":
    main()
