import os
import re
import sys
import time
from types import ModuleType

import numpy as np
import pytest

from quantlib.errors import QuantlibError
from tests.fuzz.__main__ import ENGINES
from tests.fuzz.measuring import ERROR, KILLED, OTHER, RIGHT, ROOT, outcomes
from tests.fuzz.mutating import mutated
from tests.fuzz.running import Engine

kept: list[np.ndarray] = []


def remember() -> None:
    kept.append(np.ones(600 * 2**20, np.uint8))


def obey(order: bytes) -> None:
    """Does what the input says."""
    match order.split():
        case [b"refuse"]:
            raise QuantlibError("This is refused; choose another.")
        case [b"assert"]:
            raise AssertionError("no")
        case [b"spend", megabytes]:
            assert np.ones(int(megabytes) * 2**20, np.uint8).all()
        case [b"compute", seconds]:
            until = time.process_time() + float(seconds)
            while time.process_time() < until:
                pass
        case [b"die"]:
            os._exit(3)
        case [b"recall"]:
            assert kept[0].all()


def test_each_input_is_judged_by_itself():
    orders = [b"", b"refuse", b"assert", b"spend 510", b"", b"compute 2.1", b"die", b"refuse"]
    came = list(outcomes(obey, orders))
    kinds = [RIGHT, ERROR, OTHER, RIGHT, RIGHT, RIGHT, KILLED, ERROR]
    assert [outcome.kind for outcome in came] == kinds
    assert [outcome.at for outcome in came if outcome.is_well] == [0, 1, 4, 7]
    assert came[3].megabytes >= 510 > 500 > came[4].megabytes
    assert came[5].seconds >= 2.1


def test_what_takes_too_much_is_killed():
    large, well = outcomes(obey, [b"spend 1500", b""], kill_megabytes=200)
    assert large.kind == KILLED and large.megabytes > 200
    assert well.kind == RIGHT
    slow, well = outcomes(obey, [b"compute 60", b""], kill_seconds=3)
    assert slow.kind == KILLED and slow.seconds > 3
    assert well.kind == RIGHT


def test_what_warms_up_is_not_charged():
    (recalled,) = outcomes(obey, [b"recall"], warm=remember)
    assert recalled.kind == RIGHT and recalled.megabytes < 100


def test_the_main_module_does_not_matter(monkeypatch: pytest.MonkeyPatch):
    """After a test of a page it is the script of an app."""
    main = ModuleType("__main__")
    main.__file__ = "/nowhere/app.py"
    monkeypatch.setitem(sys.modules, "__main__", main)
    assert [outcome.kind for outcome in outcomes(obey, [b"", b"refuse"])] == [RIGHT, ERROR]


def test_mutations_are_a_function_of_the_seed():
    data = bytes(range(200))

    def damaged(seed: int) -> list[bytes]:
        return [mutated([data], np.random.default_rng((seed, at))) for at in range(200)]

    assert damaged(1) == damaged(1) != damaged(2)
    assert len({*damaged(1), data}) > 190
    assert all(len(mutated([b""], np.random.default_rng(seed))) < 100 for seed in range(50))


def test_the_long_form_damages_as_many_as_are_promised():
    """Of every kind some, and of three of them how many."""
    verb = re.search(r"^fuzz:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text("utf-8"), re.M)
    assert verb
    asked = {name: int(count) for name, count in re.findall(r"--(\w+) (\d+)", verb[1])}
    assert asked.keys() == ENGINES.keys()
    least = {"pictures": 20_000, "weights": 2_000, "payloads": 5_000}
    assert all(asked[name] >= count for name, count in least.items())


def test_inputs_come_in_order():
    engine = Engine("orders", lambda random: b"refuse" if random.random() < 0.5 else b"", obey)
    came = engine.run(12, seed=3)
    expected = [np.random.default_rng((3, at)).random() < 0.5 for at in range(12)]
    assert [outcome.kind == ERROR for outcome in came] == expected
