"""What the requirements are about; how fast this machine is does not matter here."""

from quantlib import requirement
from quantlib.coding import speed


def test_every_coder_is_held_against_something(monkeypatch):
    monkeypatch.setattr(speed, "SYMBOLS", 1 << 10)
    monkeypatch.setattr(speed, "LARGE", 1 << 10)
    monkeypatch.setattr(requirement, "REPEATS", 1)
    found = speed.requirements()
    assert len({one.name for one in found}) == len(found) == 3 + 2 * 7
    assert all(one.figure > 0 for one in found)
    assert {one.required for one in found} == {1.0, 0.25}


def test_the_sample_is_that_of_eight_values():
    symbols = speed.sample()
    assert symbols.size == 1 << 20 and set(symbols.tolist()) == set(range(8))
