"""Results that are shared: made once, waited for, bounded in bytes, and never a deadlock."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import nn

from pages.parts.shared import caching, worker
from pages.parts.shared.caching import shared
from pages.parts.shared.errand import Errand, on_errand
from pages.parts.shared.held_bytes import held_bytes
from pages.parts.shared.worker import CORES, Workers, begun, on_worker
from quantlib.stopping import StoppedError, go_on

SECONDS = 30


def test_many_who_ask_at_once_get_what_is_made_once():
    made, hold = [], threading.Event()

    @shared(megabytes=1)
    def make(number: int) -> list[int]:
        made.append(number)
        assert hold.wait(SECONDS)
        return [number]

    with ThreadPoolExecutor(8) as crowd:
        asked = [crowd.submit(make, 7) for _ in range(8)]
        hold.set()
        found = [one.result(SECONDS) for one in asked]
    assert made == [7] and all(one is found[0] for one in found)


def test_an_error_is_nobodys_result():
    made = []

    @shared(megabytes=1)
    def make(number: int) -> float:
        made.append(number)
        return 1 / number

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            make(0)
    assert made == [0, 0] and make.known(0) is None


def test_who_waits_makes_it_where_the_first_has_left():
    left, started, made = threading.Event(), threading.Event(), []

    @shared(megabytes=1)
    def make(number: int) -> int:
        made.append(number)
        started.set()
        while len(made) == 1:
            go_on()
        return number

    def first() -> None:
        with on_errand(Errand(unwanted=left.is_set)):
            make(3)

    with ThreadPoolExecutor(2) as crowd:
        leaving = crowd.submit(first)
        assert started.wait(SECONDS)
        waiting = crowd.submit(make, 3)
        left.set()
        with pytest.raises(StoppedError):
            leaving.result(SECONDS)
        assert waiting.result(SECONDS) == 3 and made == [3, 3]


def test_who_waits_may_leave():
    hold, started = threading.Event(), threading.Event()

    @shared(megabytes=1)
    def make(number: int) -> bool:
        started.set()
        return hold.wait(SECONDS)

    with ThreadPoolExecutor(1) as other:
        making = other.submit(make, 3)
        assert started.wait(SECONDS)
        with on_errand(Errand(unwanted=lambda: True)), pytest.raises(StoppedError):
            make(3)
        hold.set()
        assert making.result(SECONDS)


def test_workers_never_wait_for_who_waits_for_them(monkeypatch):
    monkeypatch.setattr(worker, "_short", Workers(CORES, "cores of a test"))
    hold = threading.Event()
    busy = [begun(lambda: hold.wait(SECONDS)) for _ in range(CORES)]

    @shared(megabytes=1)
    def inner(number: int) -> int:
        return on_worker(lambda: number)

    with ThreadPoolExecutor(1) as script:
        asked = script.submit(inner, 1)  # in line behind those that are busy
        while not inner._flights:
            pass
        pieces = [begun(lambda: inner(1)) for _ in range(CORES)]
        hold.set()
        assert [one.result(SECONDS) for one in (asked, *busy, *pieces)]


def test_what_was_used_last_stays_within_the_bytes():
    @shared(megabytes=1)
    def zeros(kib: int, name: str) -> np.ndarray:
        return np.zeros(kib * 1024, np.uint8)

    for name in "abc":
        zeros(400, name)
        zeros(400, "a")
    assert [zeros.known(400, name) is not None for name in "abc"] == [True, False, True]
    assert zeros.bytes <= 2**20
    zeros(3000, "larger than all of it")
    assert zeros.known(3000, "larger than all of it") is not None
    assert zeros.known(400, "a") is None


def test_everything_can_be_forgotten():
    @shared(megabytes=1)
    def one() -> int:
        return 1

    one()
    caching.forget_all()
    assert one.known() is None


def test_a_network_weighs_as_much_as_its_parameters_and_shared_ones_count_once():
    layer = nn.Linear(100, 1000)
    size = 4 * (100 * 1000 + 1000)
    for value in (layer, nn.Sequential(layer, layer), {"a": layer, "b": [layer, layer.weight[:5]]}):
        assert size <= held_bytes(value) <= size + 2000


def test_what_refers_to_itself_is_counted_once():
    around: list = [torch.zeros(1000)]
    around.append(around)
    assert 4000 <= held_bytes(around) <= 4200
