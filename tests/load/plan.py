"""What many visitors look at: pages that compute, each with settings of its own, and light ones."""

import random

from tests.load.visitor import Address

LIGHT = Address("results"), Address("speed")
PICTURES = "Astronaut", "Cat", "Coffee", "Rocket"
METHODS = "DQA", "Direct", "Power-of-two"


def addresses(visitors: int, seed: int) -> list[Address]:
    """A quarter looks at light pages, a quarter at the first screen, the others at whatever."""
    choose = random.Random(seed)
    found = [choose.choice(LIGHT) for _ in range(visitors // 4)]
    found += [Address("")] * (visitors // 4)
    found += [_heavy(choose) for _ in range(visitors - len(found))]
    choose.shuffle(found)
    return found


def anything(choose: random.Random) -> Address:
    """One address out of all of these."""
    return choose.choice([choose.choice(LIGHT), Address(""), _heavy(choose), _heavy(choose)])


def _heavy(choose: random.Random) -> Address:
    query = f"picture={choose.choice(PICTURES)}&bits={choose.randint(2, 6)}"
    page = choose.choice(["", "", "", "importance", "depth", "classify"])
    if not page:
        query += f"&method={choose.choice(METHODS)}"
    return Address(page, query)
