"""One script draws at a time, and who waits steps aside."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pages.parts.shared import drawing as module
from pages.parts.shared.drawing import drawing, stepping_aside

SECONDS = 30


@pytest.fixture(autouse=True)
def room(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    room = threading.Semaphore(1)
    monkeypatch.setattr(module, "_room", room)
    return room


def is_free(room: threading.Semaphore) -> bool:
    free = room.acquire(blocking=False)
    if free:
        room.release()
    return free


def test_one_draws_after_the_other(room):
    most, drawn = [0], []

    def draw(number: int) -> None:
        with drawing():
            most[0] += 1
            drawn.append(most[0])
            most[0] -= 1

    with ThreadPoolExecutor(8) as scripts:
        list(scripts.map(draw, range(50)))
    assert drawn == [1] * 50 and is_free(room)


def test_others_draw_while_one_waits(room):
    with drawing():
        assert not is_free(room)
        with stepping_aside():
            assert is_free(room)
        assert not is_free(room)
    assert is_free(room)


def test_an_error_while_waiting_leaves_the_room_free(room):
    with pytest.raises(ZeroDivisionError), drawing(), stepping_aside():
        raise ZeroDivisionError
    assert is_free(room)


def test_who_does_not_draw_has_nothing_to_give_up(room):
    with stepping_aside():
        assert is_free(room)
    assert is_free(room)


def test_what_is_light_waits_for_no_other():
    def draw() -> bool:
        with drawing(is_light=True):
            return True

    with ThreadPoolExecutor(1) as other, drawing():
        assert other.submit(draw).result(SECONDS)
