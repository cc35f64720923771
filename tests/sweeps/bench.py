"""Holds two workers of a cluster against one on the same sweep: `make bench-cluster`.

Pictures are enlarged and measured as `evaluate` does it. Each worker has prepared its network
before the clock starts, and the machine should have nothing else to do.
"""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from quantlib.cli import parser
from quantlib.cli.chosen import chosen_from
from quantlib.cli.evaluate import unit_of
from quantlib.imaging.samples import PHOTOGRAPHS
from quantlib.requirement import Requirement
from quantlib.sweeps.cluster import Cluster
from quantlib.sweeps.sweep import sweep
from quantlib.sweeps.unit import Unit
from quantlib.tasks.super_resolution import reduced, sample_for
from tests.sweeps.dask_cluster import DaskCluster

MODEL, SCALE, COPIES = "builtin:edsr-x2", 2, 8
REQUIRED = 1.6


def pictures(folder: Path) -> list[tuple[str, Path, Path]]:
    """Sample photographs with their reductions, in `folder`."""
    found = []
    for key in PHOTOGRAPHS:
        low, high = reduced(sample_for(key, SCALE), SCALE)
        files = folder / f"{key}-high.png", folder / f"{key}-low.png"
        for rgb, file in zip((high, low), files, strict=True):
            Image.fromarray(rgb).save(file)
        found.append((key, *files))
    return found


def seconds(workers: int, units: list[Unit], folder: Path) -> float:
    """What the sweep takes on so many workers, none of which is cold."""
    folder.mkdir()
    with DaskCluster(folder) as cluster:
        pids = {cluster.add_worker().pid for _ in range(workers)}
        cluster.wait_for_workers(lambda found: pids <= found)
        list(sweep(units, Cluster(cluster.address)))
        started = time.perf_counter()
        done = list(sweep(units * COPIES, Cluster(cluster.address)))
        taken = time.perf_counter() - started
    print(f"{workers} workers: {len(done)} pictures in {taken:.1f} s", flush=True)
    return taken


def bench() -> int:
    with TemporaryDirectory() as place:
        folder = Path(place)
        words = ["--model", MODEL, "--scale", str(SCALE), "--method", "dqa", "--bits", "3"]
        chosen = chosen_from(parser("evaluate").parse_args(words))
        units = [unit_of(chosen, *pair) for pair in pictures(folder)]
        one, two = (seconds(workers, units, folder / str(workers)) for workers in (1, 2))
    speed = Requirement("two workers, relative to one", one / two, REQUIRED)
    verdict = "met" if speed.met else "missed"
    print(f"{speed.name}: {speed.figure:.2f} x, required {speed.required:g} x, {verdict}")
    return 0 if speed.met else 1


if __name__ == "__main__":
    sys.exit(bench())
