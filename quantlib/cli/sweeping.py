"""Options of verbs whose work comes in many pieces: where it is done, and where it is kept."""

import argparse
from collections.abc import Callable, Iterator, Sequence

from quantlib.caches import own_folder
from quantlib.cli.console import remark
from quantlib.cli.options import path
from quantlib.errors import QuantlibError
from quantlib.sweeps.cluster import VARIABLE, Cluster, chosen_scheduler
from quantlib.sweeps.engines import Engine, InTurn, Processes
from quantlib.sweeps.kept import Kept
from quantlib.sweeps.unit import Unit


def add_sweep(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--jobs", type=int, metavar="N", help="processes side by side on this machine (default 1)"
    )
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="compute on the Dask cluster of this scheduler, such as tcp://10.0.0.5:8786 "
        f"(default {VARIABLE}, if that is set)",
    )
    parser.add_argument(
        "--kept",
        metavar="DIR",
        help="keep each finished piece here, and compute none that is here already; any number of "
        "processes and machines may share it (with a scheduler by default a folder of the cache)",
    )


def engine_from(options: argparse.Namespace) -> Engine:
    if options.jobs is not None:
        if options.scheduler:
            raise QuantlibError("--jobs is for this machine, --scheduler for others; give one.")
        if options.jobs < 1:
            raise QuantlibError(f"There is at least one job, not {options.jobs}.")
        return InTurn() if options.jobs == 1 else Processes(options.jobs)
    address = chosen_scheduler(options.scheduler)
    return Cluster(address, remark=remark) if address else InTurn()


def kept_from(options: argparse.Namespace) -> Kept | None:
    """Where finished pieces are kept; with a scheduler always, as its client may be gone first."""
    if options.kept:
        return Kept(path(options.kept).absolute())
    on_cluster = options.jobs is None and chosen_scheduler(options.scheduler)
    return Kept(own_folder("sweeps")) if on_cluster else None


def in_order(
    made: Iterator[tuple[Unit, bytes]],
    units: Sequence[Unit],
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> list[bytes]:
    """What a sweep of `units` makes, in their order; `watch(done, total)` follows it."""
    found: dict[Unit, bytes] = {}
    watch(0, len(units))
    for unit, content in made:
        found[unit] = content
        watch(len(found), len(units))
    return [found[unit] for unit in units]
