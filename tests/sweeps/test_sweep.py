"""Every unit once, by whoever comes first, and found again by all others."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from quantlib.errors import QuantlibError
from quantlib.sweeps.contents import Files, Weights, sha256_of
from quantlib.sweeps.engines import InTurn, Processes
from quantlib.sweeps.kept import Kept
from quantlib.sweeps.sweep import sweep
from quantlib.sweeps.unit import Unit
from quantlib.sweeps.versions import versions
from tests.sweeps import work
from tests.sweeps.dask_cluster import environment, wait_for

COUNT = 5
SQUARES = [str(n * n).encode() for n in range(COUNT)]


def units(log: Path, count: int = COUNT, gate: int | None = None) -> list[Unit]:
    if gate is None:
        return [Unit(str(n), work.square, (n,), (log,)) for n in range(count)]
    return [Unit(str(n), work.square_past, (gate, n), (log,)) for n in range(count)]


def in_order(made) -> list[bytes]:
    return [content for _, content in sorted(made, key=lambda pair: int(pair[0].name))]


@pytest.mark.parametrize("engine", [InTurn(), Processes(2)], ids=["in turn", "two processes"])
def test_every_unit_is_computed_once(tmp_path, engine):
    log, kept = tmp_path / "log", Kept(tmp_path / "kept")
    assert in_order(sweep(units(log), engine, kept)) == SQUARES
    assert in_order(sweep(units(log), engine, kept)) == SQUARES
    assert work.done(log) == [*range(COUNT)]
    assert not [*(tmp_path / "kept").rglob("*.claim")], "a claim stays behind"


def test_without_a_folder_nothing_is_kept(tmp_path):
    for _ in range(2):
        assert in_order(sweep(units(tmp_path / "log"))) == SQUARES
    assert work.done(tmp_path / "log") == sorted([*range(COUNT)] * 2)


def test_many_sweeps_at_once_compute_nothing_twice(tmp_path):
    log, kept = tmp_path / "log", Kept(tmp_path / "kept")
    found: list[list[bytes]] = []
    threads = [
        threading.Thread(target=lambda: found.append(in_order(sweep(units(log, 40), kept=kept))))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[str(n * n).encode() for n in range(40)]] * 6
    assert work.done(log) == [*range(40)]


SWEEP = """
from pathlib import Path
from quantlib.sweeps.kept import Kept
from quantlib.sweeps.sweep import sweep
from tests.sweeps.test_sweep import units
list(sweep(units(Path("log"), gate={gate}), kept=Kept(Path("kept"))))
"""


def begin_sweep(folder: Path, gate: int) -> subprocess.Popen[bytes]:
    """The same sweep in another process, which waits at the `gate`-th unit."""
    code = SWEEP.format(gate=gate)
    return subprocess.Popen([sys.executable, "-c", code], cwd=folder, env=environment())


def test_a_sweep_that_was_killed_goes_on_from_what_is_there(tmp_path):
    log, kept = tmp_path / "log", Kept(tmp_path / "kept")
    process = begin_sweep(tmp_path, gate=3)
    wait_for(lambda: 3 in work.begun(log))
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert work.done(log) == [0, 1, 2]
    (tmp_path / "open").touch()
    assert in_order(sweep(units(log, gate=3), kept=kept)) == SQUARES
    assert work.done(log) == [*range(COUNT)], "something was lost or computed twice"


def test_who_comes_second_waits_and_takes_over_from_the_dead(tmp_path):
    log, kept = tmp_path / "log", Kept(tmp_path / "kept")
    first = begin_sweep(tmp_path, gate=0)
    wait_for(lambda: 0 in work.begun(log))
    found: list[list[bytes]] = []
    second = threading.Thread(
        target=lambda: found.append(in_order(sweep(units(log, gate=0), kept=kept)))
    )
    second.start()
    time.sleep(0.3)
    assert work.begun(log) == {0: first.pid}, "the second does not wait for the first"
    first.kill()
    first.wait()
    wait_for(lambda: work.begun(log)[0] == os.getpid())
    (tmp_path / "open").touch()
    second.join()
    assert found == [SQUARES] and work.done(log) == [*range(COUNT)]


def test_a_process_that_is_killed_ends_the_sweep_with_a_sentence(tmp_path):
    log, kept = tmp_path / "log", Kept(tmp_path / "kept")
    said: list[QuantlibError] = []

    def run() -> None:
        try:
            list(sweep(units(log, gate=2), Processes(2), kept))
        except QuantlibError as error:
            said.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    wait_for(lambda: {2, 3} <= work.begun(log).keys())
    os.kill(work.begun(log)[2], signal.SIGKILL)
    thread.join()
    assert "ended from outside" in str(said[0]) and "is kept" in str(said[0])
    (tmp_path / "open").touch()
    assert in_order(sweep(units(log, gate=2), kept=kept)) == SQUARES
    assert work.done(log) == [*range(COUNT)]


def test_what_cannot_be_kept_is_made_all_the_same_and_said_once(tmp_path):
    (tmp_path / "kept").touch()  # a file where a folder should be
    notes: list[str] = []
    made = sweep(units(tmp_path / "log"), kept=Kept(tmp_path / "kept"), remark=notes.append)
    assert in_order(made) == SQUARES
    assert len(notes) == 1 and "could not be kept" in notes[0] and "is a file" in notes[0]


def test_a_damaged_result_is_computed_anew(tmp_path):
    log, kept = tmp_path / "log", Kept(tmp_path / "kept")
    list(sweep(units(log, 1), kept=kept))
    (file,) = (one for one in (tmp_path / "kept").rglob("*") if one.is_file())
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    assert in_order(sweep(units(log, 1), kept=kept)) == [b"0"]
    assert work.done(log) == [0, 0]


def test_an_error_of_a_unit_stops_the_sweep_and_leaves_what_is_done(tmp_path):
    log, kept = tmp_path / "log", Kept(tmp_path / "kept")
    failing = [*units(log, 2), Unit("bad", work.fail, (9,), (log,)), *units(log)[2:]]
    with pytest.raises(ValueError, match="9 is beyond me"):
        list(sweep(failing, kept=kept))
    assert work.done(log) == [0, 1]
    assert in_order(sweep(units(log), kept=kept)) == SQUARES
    assert work.done(log) == [*range(COUNT)]


def test_a_clock_that_jumps_changes_nothing(tmp_path, monkeypatch):
    log, kept = tmp_path / "log", Kept(tmp_path / "kept")
    real, jumps = time.time, iter([0, 10**8, -(10**8)] * 1000)
    monkeypatch.setattr(time, "time", lambda: real() + next(jumps))
    list(sweep(units(log, 3), kept=kept))
    for file in (tmp_path / "kept").rglob("*"):
        os.utime(file, (4e9, 4e9))  # as a machine wrote them whose clock is in 2096
    assert in_order(sweep(units(log), kept=kept)) == SQUARES
    assert work.done(log) == [*range(COUNT)]


def test_a_digest_goes_by_what_counts(tmp_path):
    file = tmp_path / "a.png"
    file.write_bytes(b"picture")
    other = tmp_path / "other" / "b.png"
    other.parent.mkdir()
    other.write_bytes(b"picture")

    def digest(n: int = 1, log: Path = tmp_path, read: Path = file, does=work.square) -> str:
        return Unit("", does, (n,), (log,), (Files.at(read),)).digest

    one = digest()
    assert digest(log=other) == digest(read=other) == one, "where things lie does not count"
    assert digest(n=2) != one and digest(does=work.fail) != one
    other.write_bytes(b"another picture")
    assert digest(read=other) != one


def test_another_version_is_another_digest(monkeypatch):
    def digest() -> str:
        return Unit("", work.square, (1,)).digest

    one = digest()
    monkeypatch.setattr("quantlib.sweeps.versions._installed", lambda name: "0.0.1")
    versions.cache_clear()
    try:
        assert digest() != one
    finally:
        versions.cache_clear()


def test_files_that_are_not_the_same_where_they_are_read(tmp_path):
    file = tmp_path / "a.png"
    file.write_bytes(b"picture")
    unit = Unit("", work.square, (1,), (tmp_path / "log",), (Files.at(file),))
    file.write_bytes(b"changed")
    with pytest.raises(QuantlibError, match=r"a\.png holds something else"):
        list(sweep([unit]))


def test_a_folder_is_its_files_and_their_names(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "a").write_bytes(b"1")
    one = sha256_of(tmp_path)
    (tmp_path / "below" / "a").rename(tmp_path / "below" / "b")
    two = sha256_of(tmp_path)
    (tmp_path / "below" / "b").write_bytes(b"2")
    assert len({one, two, sha256_of(tmp_path)}) == 3


def test_an_unknown_network_is_named_before_any_work():
    with pytest.raises(QuantlibError, match="no bundled network 'builtin:nothing'"):
        Weights.of("builtin:nothing")
