"""Speeds against each other, by a clock of our own."""

import pytest

from quantlib import requirement


def test_relative_speed(monkeypatch):
    """`work` takes 2 of its seconds and `other` 6, but for the turn that warms up."""
    now = [0.0]
    monkeypatch.setattr(requirement, "perf_counter", lambda: now[0])

    def spend(seconds: float) -> None:
        now[0] += seconds

    assert requirement.relative_speed(lambda: spend(2), lambda: spend(6)) == pytest.approx(3)
