"""Prints how long each long work goes on after its visitor has left: python -m tests.load.leaving

Each is begun and left at a few moments; the longest time until its thread is free is printed.
"""

import argparse
import threading
import time
from collections.abc import Callable, Iterator

from pages.parts.shared.errand import Errand
from pages.parts.shared.worker import begun
from quantlib.evaluation.codecs import compare_codecs
from quantlib.evaluation.latency import measure_latency
from quantlib.imaging.samples import load_sample
from quantlib.imaging.tensors import to_tensor
from quantlib.importance import rank
from quantlib.importance.preparing import prepare, steps_for
from quantlib.models import load
from quantlib.ptq import Settings
from quantlib.ptq.criteria import SEARCHED
from quantlib.qat.adapting import adapt
from quantlib.stopping import go_on
from quantlib.tasks.super_resolution import adaptation_pictures, default_pairs, measure, sites_of
from quantlib.tasks.ways import costs, ways
from quantlib.training.contest import Contest, compete

SMALL, LARGE = "builtin:edsr-x2", "builtin:quantsr-t-x2-fp32"
LIMIT_SECONDS = 90.0


def watch(done: int, total: int) -> None:
    go_on()


def works() -> Iterator[tuple[str, Callable[[], object]]]:
    """What visitors wait for longest, by name."""
    for name in (SMALL, LARGE):
        network = load(name)
        sites, pairs = sites_of(network), default_pairs(network)
        low = load_sample("cat", 128).rgb
        x = to_tensor(low)
        title = name.removeprefix("builtin:")
        yield (
            f"greedy search, {title}",
            lambda s=sites, p=pairs: rank(s, p, SEARCHED, 4, 3, watch=watch),
        )
        yield f"entropy coding's steps, {title}", lambda s=sites, p=pairs: steps_for(s, p, watch)
        dqa = prepare(sites, Settings("dqa"), pairs)
        yield f"codecs, {title}", lambda n=dqa, x=x: compare_codecs(n, x, watch=watch)
        yield f"latency, {title}", lambda n=dqa, x=x: measure_latency(n, x, watch=watch)
        yield (
            f"a measurement of 512×512, {title}",
            lambda n=dqa: measure(n, load_sample("cat", 512).rgb, 2),
        )
        yield (
            f"speed, {title}",
            lambda n=network, low=low: costs(ways(n, None), low, None, 3, watch),
        )
    network = load(SMALL)
    yield (
        "RLQ on demand",
        lambda: adapt.adapt(
            network,
            adaptation_pictures(2),
            adapt.ON_DEMAND,
            watch=lambda step: go_on() or False,
            watch_start=lambda layer: go_on(),
        ),
    )
    yield "live training", lambda: [go_on() for _ in compete(Contest("lsq", 2, 3.0, 300))]


def seconds_after_leaving(work: Callable[[], object], moment: float) -> float | None:
    """How long `work`, left after `moment` seconds, goes on; None where it was done before."""
    left = threading.Event()
    future = begun(work, Errand("a visitor", True, left.is_set))
    time.sleep(moment)
    if future.done():
        future.result()
        return None
    left.set()
    started = time.perf_counter()
    future.exception(LIMIT_SECONDS)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=float, nargs="+", default=[0.5, 1.5, 4.0, 9.0])
    for name, work in works():
        found = [seconds_after_leaving(work, moment) for moment in parser.parse_args().moments]
        seen = [one for one in found if one is not None]
        told = f"{max(seen):5.2f} s" if seen else "done before"
        print(f"{told} after leaving at {len(seen)} moments: {name}", flush=True)


if __name__ == "__main__":
    main()
