"""Prints how long a visitor waits for the workbench: python -m tests.browser.bench_app

The address is opened in a new browser as soon as a fresh server answers. The first server finds an
empty cache folder and measures, until the comparison at equal bytes is there too; those after it
find what it kept. Then n, m or r is changed at random, one at a time and never back to settings
that have been looked at.
"""

import argparse
import os
import random
from collections.abc import Iterator
from itertools import islice
from tempfile import TemporaryDirectory

import numpy as np
from playwright.sync_api import Page

from quantlib.caches import VARIABLE
from tests.browser.chromium import launch
from tests.browser.server import ROOT, Server, serve
from tests.browser.workbench import click, opened

FIRST = {"Bits n": 3, "Extra bits m": 3, "Important ratio r": 0.4}
VALUES = {  # without those at which another number has no effect
    "Bits n": range(2, 9),
    "Extra bits m": range(1, 5),
    "Important ratio r": [round(0.05 * step, 2) for step in range(1, 21)],
}


def changes(seed: int) -> Iterator[tuple[str, float]]:
    """Sliders and the values that they are set to, one after the other."""
    choose = random.Random(seed)
    now, seen = FIRST, [FIRST]
    while True:
        label = choose.choice(list(VALUES))
        new = now | {label: choose.choice(VALUES[label])}
        if new not in seen:
            now = new
            seen.append(new)
            yield label, new[label]


def measure(page: Page, server: Server, count: int, seed: int) -> None:
    first = opened(page, server.url)
    print(
        f"The server answered {server.seconds:.2f} s after its start. "
        f"First screen: the sentence after {first.shown:.2f} s, "
        f"complete after {first.complete:.2f} s",
        flush=True,
    )
    if count:
        every = [click(page, label, value) for label, value in islice(changes(seed), count)]
        print(f"{count} changes of n, m or r with seed {seed}:")
        report("the new result", [one.shown for one in every])
        report("complete", [one.complete for one in every])


def report(what: str, seconds: list[float]) -> None:
    middle, late = np.percentile(seconds, [50, 95])
    print(f"  {what}: p50 {middle:.2f} s, p95 {late:.2f} s, at most {max(seconds):.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", type=int, default=3, help="fresh servers (default: 3)")
    parser.add_argument("--changes", type=int, default=60, help="on the last one (default: 60)")
    parser.add_argument("--seed", type=int, default=0)
    choices = parser.parse_args()
    with TemporaryDirectory(prefix="bitlens-") as folder:
        os.environ[VARIABLE] = folder
        for number in range(1, choices.servers + 1):
            with serve(ROOT / "app.py") as server, launch() as browser:
                count = choices.changes if number == choices.servers else 0
                page = browser.new_page()
                measure(page, server, count, choices.seed)
                if number == 1:
                    page.get_by_text("At equal bytes: the budget").wait_for()


if __name__ == "__main__":
    main()
