"""Prints what many visitors at once wait for: python -m tests.load --visitors 32

Each address is first visited alone, on a server of its own. Then all come at the same moment to a
fresh server that says it is ready, and what they are shown is held against that.
"""

import argparse
import time
from collections.abc import Sequence

import numpy as np

from tests.browser.server import ROOT, serve
from tests.load.plan import LIGHT, addresses
from tests.load.ready import wait_until_warm
from tests.load.together import together
from tests.load.visitor import Address, Visit, visit
from tests.load.watching import held_by, watched


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visitors", type=int, default=32, help="at once (default: 32)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--cold", action="store_true", help="they come to a server that is just being started"
    )
    parser.add_argument("--rest", type=float, default=120, help="seconds after them (default: 120)")
    chosen = parser.parse_args()
    asked = addresses(chosen.visitors, chosen.seed)
    with serve(ROOT / "app.py") as server:
        alone = {address: visit(server.url, address) for address in dict.fromkeys(asked)}
    with serve(ROOT / "app.py") as server:
        if not chosen.cold:
            wait_until_warm(server.url)
        before = held_by(server.pid)
        with watched(server.pid) as peaks:
            visits = together(server.url, asked)
        time.sleep(chosen.rest)
        after = held_by(server.pid)
    tell(asked, visits, alone)
    print(f"Before: {before}. Peak: {peaks.peak}. {chosen.rest:g} s after they left: {after}.")


def tell(asked: Sequence[Address], visits: list[Visit], alone: dict[Address, Visit]) -> None:
    pairs = list(zip(asked, visits, strict=True))
    equal = sum(seen.result == alone[address].result for address, seen in pairs)
    wrong = sum(bool(v.errors) for v in visits)
    print(f"{equal} of {len(pairs)} saw what one sees alone; {wrong} saw an error.")
    groups = {
        "light pages": [v for a, v in pairs if a in LIGHT],
        "the first screen": [v for a, v in pairs if a == Address("")],
        "other pages": [v for a, v in pairs if a not in LIGHT and a != Address("")],
    }
    for name, group in groups.items():
        if group:
            print(f"  {name} ({len(group)}): first result {spread([v.first for v in group])}")
            print(f"    complete {spread([v.complete for v in group])}")


def spread(seconds: list[float]) -> str:
    middle, late = np.percentile(seconds, [50, 95])
    return f"p50 {middle:.2f} s, p95 {late:.2f} s, at most {max(seconds):.2f} s"


if __name__ == "__main__":
    main()
