"""Work in a process of its own: what comes back, and that nothing is left of it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from quantlib.apart import processes
from quantlib.apart.message import LENGTH, MOST_HEAD, Message, received
from quantlib.apart.processes import CAN_FORK, ROOT, _Nursery
from quantlib.apart.running import Limits, Work, run_apart, unwatched
from quantlib.errors import QuantlibError
from tests.apart import works

LIMITS = Limits(seconds=60, megabytes=200, answer=10**8)


WAYS = [pytest.param(None, id="forked", marks=pytest.mark.skipif(not CAN_FORK, reason="no fork"))]
WAYS.append(pytest.param({}, id="anew"))


@pytest.fixture(params=WAYS, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forked, or begun from nothing."""
    monkeypatch.setattr(works, "ENVIRONMENT", request.param, raising=False)


class LeftError(BaseException):
    """As Streamlit's, which is no Exception."""


def run(
    work: Work, limits: Limits = LIMITS, watch: Any = unwatched, buffers: Any = (), **values: object
) -> Message:
    return run_apart(
        work,
        Message(values, buffers),
        limits,
        "photo.png",
        "choose another",
        watch,
        works.ENVIRONMENT,
    )


def is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def gone(process: int, within: float = 20.0) -> bool:
    until = time.monotonic() + within
    while is_alive(process) and time.monotonic() < until:
        time.sleep(0.02)
    return not is_alive(process)


def test_bytes_go_there_and_come_back():
    large = os.urandom(1 << 20) * 40
    values, buffers = run(works.reversed_bytes, buffers=(b"abc", b"", large), side=3, name="é\n")
    assert values == {"side": 3, "name": "é\n"}
    assert [bytes(one) for one in buffers] == [b"cba", b"", large[::-1]]


def test_only_what_the_work_needs_is_imported(monkeypatch):
    monkeypatch.setattr(works, "ENVIRONMENT", {})  # others have forked from what they needed
    loaded = {*run(works.modules).values["modules"]}
    assert not {"torch", "streamlit", "huggingface_hub", "PIL", "quantlib.models"} & loaded


def test_what_it_refuses_is_the_same_sentence():
    with pytest.raises(QuantlibError, match=r"^This is no picture; choose another\.$"):
        run(works.refuse)


def test_a_bug_is_no_sentence():
    with pytest.raises(RuntimeError, match="KeyError: 'a bug'"):
        run(works.stumble)


@pytest.mark.parametrize("work", [works.allocate, works.allocate_in_a_reader])
def test_memory_has_a_limit(work):
    if work is works.allocate:
        assert run(work, megabytes=100).values == {"sum": 10**8}
    with pytest.raises(QuantlibError, match=r"photo\.png needs more than 200 MB of memory; choose"):
        run(work, megabytes=400)


@pytest.mark.parametrize("work", [works.crash, works.leave])
def test_a_process_that_breaks_is_one_sentence(work):
    with pytest.raises(QuantlibError, match=r"photo\.png broke the process.*; choose another\."):
        run(work)


def test_what_is_printed_is_no_answer():
    assert run(works.print_much).values == {"printed": True}


def test_an_answer_of_too_many_bytes_is_refused():
    with pytest.raises(QuantlibError, match="broke the process"):
        run(works.reversed_bytes, Limits(60, 200, answer=2), buffers=(b"abc",))


@pytest.mark.parametrize(
    "written",
    [
        LENGTH.pack(MOST_HEAD + 1),
        LENGTH.pack(2) + b"[]",
        LENGTH.pack(14) + b'["done", 1, 2]',
        LENGTH.pack(18) + b'["done", {}, [-1]]',
        LENGTH.pack(20) + b'["done", {}, [true]]',
    ],
)
def test_what_is_no_message_is_refused(written):
    def read(count: int) -> bytes:
        nonlocal written
        found, written = written[:count], written[count:]
        return found

    with pytest.raises((ValueError, TypeError)):
        received(read, 100)


def test_it_tells_how_far_it_is():
    seen: list[Mapping[str, Any]] = []
    run(works.count, watch=seen.append)
    assert {"number": 2} in seen and seen[0] in ({}, {"number": 0})


def test_time_has_a_limit_and_nothing_is_left():
    told: list[int] = []

    def watch(said: Mapping[str, Any]) -> None:
        told[:] = said.get("processes", told)

    with pytest.raises(QuantlibError, match=r"photo\.png took longer than 3 seconds; choose"):
        run(works.wait, Limits(3, 200, 0), watch)
    assert len(told) == 2 and all(map(gone, told))


def test_whoever_watches_ends_it():
    told: list[int] = []

    def watch(said: Mapping[str, Any]) -> None:
        told[:] = said.get("processes", told)
        if told:
            raise LeftError

    with pytest.raises(LeftError):
        run(works.wait, watch=watch)
    assert len(told) == 2 and all(map(gone, told))


def test_it_ends_with_whoever_has_started_it(tmp_path):
    note = tmp_path / "process"
    code = (
        "from tests.apart.test_running import run, works\n"
        f"works.ENVIRONMENT = {works.ENVIRONMENT}\n"
        f"run(works.wait, note={str(note)!r})"
    )
    other = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    until = time.monotonic() + 60
    while not (note.exists() and note.read_text("utf-8")) and time.monotonic() < until:
        time.sleep(0.02)
    process = int(note.read_text("utf-8"))
    assert is_alive(process)
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert gone(process)


@pytest.mark.skipif(not CAN_FORK, reason="no fork")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_the_process_that_others_are_forked_from_is_started_again(number, monkeypatch):
    monkeypatch.setattr(works, "ENVIRONMENT", None)
    nursery = _Nursery()
    monkeypatch.setattr(processes, "_NURSERY", nursery)
    assert run(works.reversed_bytes, buffers=(b"abc",)).buffers == (b"cba",)
    first, channel = nursery._process, nursery._channel
    assert first is not None and channel is not None
    channel.settimeout(0.5)
    first.send_signal(number)
    assert run(works.reversed_bytes, buffers=(b"abc",)).buffers == (b"cba",)
    assert nursery._process is not first and first.poll() is not None
    assert nursery._process is not None
    nursery._process.kill()
    nursery._process.wait()
