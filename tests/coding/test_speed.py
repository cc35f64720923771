"""What the requirements are about; how fast this machine is does not matter here."""

import pytest

from quantlib.coding import speed


def test_every_coder_is_held_against_something(monkeypatch):
    monkeypatch.setattr(speed, "SYMBOLS", 1 << 10)
    monkeypatch.setattr(speed, "LARGE", 1 << 10)
    monkeypatch.setattr(speed, "REPEATS", 1)
    found = speed.requirements()
    assert len({one.name for one in found}) == len(found) == 3 + 2 * 7
    assert all(one.figure > 0 for one in found)
    assert {one.required for one in found} == {1.0, 0.25}


def test_relative_speed(monkeypatch):
    """By a clock of our own: `work` takes 2 of its seconds and `other` 6."""
    now = [0.0]
    monkeypatch.setattr(speed, "perf_counter", lambda: now[0])

    def spend(seconds: float) -> None:
        now[0] += seconds

    assert speed.relative_speed(lambda: spend(2), lambda: spend(6)) == pytest.approx(3)


def test_the_sample_is_that_of_eight_values():
    symbols = speed.sample()
    assert symbols.size == 1 << 20 and set(symbols.tolist()) == set(range(8))
