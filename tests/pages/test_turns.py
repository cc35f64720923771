"""Long jobs in line: who comes next, what is said of it, and who is refused."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.parts.shared import turns
from pages.parts.shared.turns import MOST_OF_ONE, MOST_WAITING, Turns
from quantlib.errors import QuantlibError


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_who_has_ten_jobs_does_not_keep_another_waiting():
    line = Turns(width=1)
    many = [line.ask("ten tabs", "training") for _ in range(MOST_OF_ONE)]
    assert many[0].wait(0)
    other = line.ask("another", "training")
    assert line.before(other) == 0 and line.before(many[1]) == 1
    many[0].end()
    assert not many[1].wait(0) and other.wait(0)


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=20), st.integers(1, 3))
def test_everybody_has_a_turn_and_never_more_at_once_than_there_is_room(visitors, width):
    line = Turns(width)
    waiting = []
    for number, visitor in enumerate(visitors):
        try:
            waiting.append(line.ask(visitor, str(number)))
        except QuantlibError:
            assert sum(job.visitor == visitor for job in waiting) == MOST_OF_ONE
    under_way = []
    while waiting or under_way:
        begun = [job for job in waiting if job.wait(0)]
        under_way += begun
        waiting = [job for job in waiting if job not in begun]
        assert 0 < len(under_way) <= width
        under_way.pop(0).end()


def test_leaving_the_line_lets_the_next_one_go_on():
    line = Turns(width=1)
    first, second, third = (line.ask(who, "job") for who in "abc")
    assert first.wait(0)
    second.end()
    first.end()
    assert third.wait(0) and not second.wait(0)


def test_a_turn_comes_to_who_waits_for_it():
    line = Turns(width=1)
    first, second = line.ask("a", "job"), line.ask("b", "job")
    assert first.wait(0)
    had: list[bool] = []
    thread = threading.Thread(target=lambda: had.append(second.wait(30)))
    thread.start()
    first.end()
    thread.join(30)
    assert had == [True]


def test_the_wait_is_told_by_how_long_such_jobs_took():
    clock = Clock()
    line = Turns(width=1, clock=clock)
    first = line.ask("a", "training")
    assert first.wait(0)
    clock.now = 40.0
    waiting = line.ask("b", "training")
    assert waiting.words == "Next in line"
    first.end()
    assert waiting.wait(0)
    clock.now = 50.0
    after = [line.ask("c", "training"), line.ask("d", "training")]
    assert [one.words for one in after] == [
        "Next in line, about 30 s",
        "Place 2 in line, about 70 s",
    ]


def test_a_job_is_overdue_at_its_limit(monkeypatch):
    monkeypatch.setenv(turns.MINUTES, "2")
    clock = Clock()
    line = Turns(clock=clock)
    job = line.ask("a", "job")
    clock.now = 1000.0
    assert not job.is_overdue and job.wait(0)
    clock.now += 119
    assert not job.is_overdue
    clock.now += 2
    assert job.is_overdue and "2 minutes" in str(turns.overdue())


@pytest.mark.parametrize("said", ["", "soon"])
def test_what_is_no_number_of_minutes_is_half_an_hour(said, monkeypatch):
    monkeypatch.setenv(turns.MINUTES, said)
    assert turns.limit_seconds() == 1800


def test_too_many_are_refused_in_a_sentence():
    line = Turns(width=1)
    for _ in range(MOST_OF_ONE):
        line.ask("a", "job")
    with pytest.raises(QuantlibError, match="jobs of yours"):
        line.ask("a", "job")
    for number in range(MOST_WAITING - MOST_OF_ONE):
        line.ask(number, "job")
    with pytest.raises(QuantlibError, match="come back"):
        line.ask("b", "job")
