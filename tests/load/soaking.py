"""Visitors who come and go for a while, some of them in the middle of what they asked for."""

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.load.plan import anything
from tests.load.visitor import Address, Visit, leave_early, visit
from tests.load.watching import Held, held_by

IMPATIENT = 0.15  # of the visits end before their result is there
SECONDS = 300


@dataclass
class Soak:
    """What was seen of it: complete visits by address, visits left early, and what went wrong."""

    visits: list[tuple[Address, Visit]] = field(default_factory=list)
    left: int = 0
    failed: Counter[str] = field(default_factory=Counter)

    @property
    def errors(self) -> Counter[str]:
        shown = Counter(text for _, one in self.visits for text in one.errors)
        return shown + self.failed

    @property
    def differing(self) -> list[Address]:
        """Addresses that did not show the same to everybody."""
        seen: dict[Address, set] = {}
        for address, one in self.visits:
            seen.setdefault(address, set()).add(one.result)
        return [address for address, results in seen.items() if len(results) > 1]


def soak(server: str, seconds: float, visitors: int, seed: int) -> Soak:
    """`visitors` at a time, each with one address after the other."""
    found, lock, end = Soak(), threading.Lock(), time.monotonic() + seconds

    def come_and_go(number: int) -> None:
        choose = random.Random(seed * 1000 + number)
        while time.monotonic() < end:
            address = anything(choose)
            try:
                if choose.random() < IMPATIENT:
                    leave_early(server, address, choose.uniform(0.05, 1.0))
                    with lock:
                        found.left += 1
                else:
                    seen = visit(server, address, SECONDS)
                    with lock:
                        found.visits.append((address, seen))
            except Exception as error:  # a visitor who is refused or cut off is a result
                with lock:
                    found.failed[repr(error)] += 1

    with ThreadPoolExecutor(visitors) as crowd:
        list(crowd.map(come_and_go, range(visitors)))
    return found


def changes(server: str, pid: int, count: int, seed: int) -> tuple[Held, Held]:
    """What the server holds before and after one visitor's `count` random settings."""
    choose = random.Random(seed)
    visit(server, Address(""), SECONDS)
    before = held_by(pid)
    for _ in range(count):
        visit(server, anything(choose), SECONDS)
    return before, held_by(pid)
