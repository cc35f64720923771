"""Prints how a server stands a while of visitors: python -m tests.load.soak --minutes 20

Afterwards one visitor changes settings 300 times. Results are held against each other: what one
address shows is the same for everybody.
"""

import argparse
import time

from tests.browser.server import ROOT, serve
from tests.load.__main__ import spread
from tests.load.ready import wait_until_warm
from tests.load.soaking import changes, soak
from tests.load.watching import held_by, watched

REST = 130.0  # seconds after them


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--visitors", type=int, default=6, help="at a time (default: 6)")
    parser.add_argument("--changes", type=int, default=300, help="of settings (default: 300)")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    with serve(ROOT / "app.py") as server:
        wait_until_warm(server.url)
        before = held_by(server.pid)
        with watched(server.pid) as peaks:
            found = soak(server.url, 60 * chosen.minutes, chosen.visitors, chosen.seed)
        time.sleep(REST)
        after = held_by(server.pid)
        print(f"Seed {chosen.seed}: {len(found.visits)} visits and {found.left} left early.")
        if found.visits:
            print(f"  first result {spread([one.first for _, one in found.visits])}")
            print(f"  complete {spread([one.complete for _, one in found.visits])}")
        print(f"  errors: {dict(found.errors) or 'none'}; differing: {found.differing or 'none'}")
        print(f"  before {before}; peak {peaks.peak}; {REST:g} s after they left {after}")
        if chosen.changes:
            first, last = changes(server.url, server.pid, chosen.changes, chosen.seed)
            print(f"  {chosen.changes} changes: {first} before, {last} after")


if __name__ == "__main__":
    main()
