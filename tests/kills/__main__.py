"""Kills at random moments: `python -m tests.kills --moments 50 --seed 1`, minutes for each kind.

Half of the moments are by the clock, half stand before a change of a file. After each the command
runs again, to its end: what it leaves has to be what a run leaves that nobody killed.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

from tests.kills.kinds import kinds, prepare
from tests.kills.running import Trial, forking


def main() -> None:
    """Prints a line for each kind and each fault, and exits with 1 where there is any."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--moments", type=int, default=50, metavar="N", help="of every kind")
    parser.add_argument("--seed", type=int, default=None, help="a new one where none is named")
    parser.add_argument("--kind", action="append", default=[], help="this one only, or these")
    options = parser.parse_args()
    seed = options.seed
    if seed is None:
        seed = int(np.random.default_rng().integers(2**31))
    print(f"--seed {seed}", flush=True)
    amiss = 0
    with kinds() as known, forking(prepare) as forks, tempfile.TemporaryDirectory() as folder:
        for number, name in enumerate(options.kind or known):
            trial = Trial(known[name], forks, Path(folder) / str(number))
            by_clock = options.moments // 2
            faults = [
                *trial.faults(by_clock, seed, clock=True),
                *trial.faults(options.moments - by_clock, seed, clock=False),
            ]
            amiss += len(faults)
            print(
                f"{name}: killed at {options.moments} moments of {trial.ended.seconds:.1f} s and "
                f"{trial.ended.changes} changes of files, {len(faults)} faults",
                *faults,
                sep="\n  ",
                flush=True,
            )
    sys.exit(amiss > 0)


if __name__ == "__main__":
    main()
