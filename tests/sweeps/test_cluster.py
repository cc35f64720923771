"""Sweeps on a real Dask cluster of worker processes on loopback."""

import json
import os
import resource
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from quantlib.cli import main
from quantlib.errors import QuantlibError
from quantlib.sweeps import cluster as dask
from quantlib.sweeps.cluster import Cluster
from quantlib.sweeps.kept import Kept
from quantlib.sweeps.sweep import sweep
from quantlib.sweeps.unit import Unit
from tests.architecture.imports import ROOT
from tests.sweeps import work
from tests.sweeps.dask_cluster import DaskCluster, wait_for
from tests.sweeps.test_sweep import COUNT, SQUARES, in_order, units

PLAN = """
criteria = ["energy", "random"]
bits = [3]
extra_bits = [3]
ratios = [0.4]
seeds = [0]
uniform_bits = [3]
budgets = []
[[bench]]
name = "digits"
task = "classification"
model = "builtin:resnet-digits"
data = "digits"
pictures = 10
calibration = 16
"""


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory) -> Iterator[DaskCluster]:
    with DaskCluster(tmp_path_factory.mktemp("cluster")) as cluster:
        pids = {cluster.add_worker().pid, cluster.add_worker().pid}
        cluster.wait_for_workers(lambda found: found >= pids)
        yield cluster


def run(units: list[Unit], engine: Cluster, kept: Kept) -> list[bytes]:
    return in_order(sweep(units, engine, kept))


def test_two_workers_compute_every_unit_once(tmp_path, two_workers):
    log, kept = tmp_path / "log", Kept(tmp_path / "kept")
    for _ in range(2):
        assert run(units(log), Cluster(two_workers.address), kept) == SQUARES
    assert work.done(log) == [*range(COUNT)]
    assert in_order(sweep(units(log), kept=kept)) == SQUARES, "other bytes here"
    assert work.done(log) == [*range(COUNT)]


def test_two_sweeps_at_once_on_one_cluster_compute_nothing_twice(tmp_path, two_workers):
    log, kept = tmp_path / "log", Kept(tmp_path / "kept")
    with ThreadPoolExecutor(2) as pool:
        begun = [pool.submit(run, units(log), Cluster(two_workers.address), kept) for _ in "ab"]
        assert [one.result() for one in begun] == [SQUARES, SQUARES]
    assert work.done(log) == [*range(COUNT)]


def without_seconds(results: Path) -> str:
    values = json.loads(results.read_text())
    for point in values["points"].values():
        del point["seconds"]
    return json.dumps(values)


def test_an_ablation_gives_the_same_table_as_here(tmp_path, two_workers, capsys, monkeypatch):
    (tmp_path / "plan.toml").write_text(PLAN)
    monkeypatch.chdir(tmp_path)

    def measure(name: str, *more: str) -> Path:
        words = ["plan.toml", "--data", ".", "--results", name, "--json", *more]
        assert main(["ablation", *words]) == 0
        return tmp_path / name

    here = measure("here.json")
    there = measure("there.json", "--scheduler", two_workers.address, "--kept", "kept")
    assert without_seconds(there) == without_seconds(here)
    monkeypatch.setenv("BITLENS_SCHEDULER", two_workers.address)
    again = measure("again.json", "--kept", "kept")
    assert again.read_bytes() == there.read_bytes(), "measured again, which takes other seconds"


def test_the_death_of_a_worker_loses_nothing_and_computes_nothing_twice(tmp_path, two_workers):
    log, kept = tmp_path / "log", Kept(tmp_path / "kept")
    victim = two_workers.add_worker()
    two_workers.wait_for_workers(lambda pids: victim.pid in pids)
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(run, units(log, gate=0), Cluster(two_workers.address), kept)
        wait_for(lambda: victim.pid in work.begun(log).values())
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        (tmp_path / "open").touch()
        assert found.result() == SQUARES
    assert work.done(log) == [*range(COUNT)]
    assert victim.pid not in work.begun(log).values(), "nobody took over what the dead one had"


def test_a_scheduler_that_goes_away(tmp_path):
    log, kept = tmp_path / "log", Kept(tmp_path / "kept")
    with DaskCluster(tmp_path) as cluster:
        cluster.add_worker()
        said: list[QuantlibError] = []

        def run_into_it() -> None:
            try:
                run(units(log, gate=3), Cluster(cluster.address, patience=30), kept)
            except QuantlibError as error:
                said.append(error)

        thread = threading.Thread(target=run_into_it)
        thread.start()
        wait_for(lambda: 3 in work.begun(log))
        cluster.scheduler.kill()
        thread.join()
        assert f"scheduler at {cluster.address} is gone" in str(said[0])
    (tmp_path / "open").touch()
    assert in_order(sweep(units(log, gate=3), kept=kept)) == SQUARES
    assert work.done(log) == [*range(COUNT)], "what was done was lost"


@pytest.fixture
def another_bitlens(tmp_path) -> Path:
    folder = tmp_path / "another"
    shutil.copytree(ROOT / "quantlib", folder / "quantlib", ignore=shutil.ignore_patterns("*.pyc"))
    (folder / "quantlib" / "__init__.py").write_text('"""Another."""\n__version__ = "0.0.1"\n')
    return folder


@pytest.fixture
def another_torch(tmp_path) -> Path:
    said = tmp_path / "another" / "torch-2.1.0.dist-info"
    said.mkdir(parents=True)
    (said / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 2.1.0\n")
    return said.parent


@pytest.mark.parametrize(
    ("other", "sentence"),
    [("another_bitlens", "has Bitlens 0.0.1, the code"), ("another_torch", "has torch 2.1.0, and")],
)
def test_a_worker_with_another_version_is_refused(tmp_path, two_workers, request, other, sentence):
    log, kept = tmp_path / "log", Kept(tmp_path / "kept")
    worker = two_workers.add_worker((request.getfixturevalue(other),))
    two_workers.wait_for_workers(lambda pids: worker.pid in pids)
    with pytest.raises(QuantlibError, match=f"^The worker tcp://.* {sentence}"):
        run(units(log), Cluster(two_workers.address), kept)
    assert not log.exists(), "work was handed out"
    two_workers.remove(worker)
    assert run(units(log), Cluster(two_workers.address), kept) == SQUARES


def test_a_full_disk_on_one_worker_is_said_once_and_loses_nothing(tmp_path, two_workers):
    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    log, kept, notes = tmp_path / "log", Kept(tmp_path / "kept"), list[str]()
    full = two_workers.add_worker(limit=fill)
    two_workers.wait_for_workers(lambda pids: full.pid in pids)
    many = [Unit(str(n), work.large, (n, 3), (log,)) for n in range(6)]
    made = in_order(sweep(many, Cluster(two_workers.address), kept, notes.append))
    assert made == [bytes([n]) * 200_000 for n in range(6)]
    assert all("There is no room for" in note for note in notes) and notes
    lost = [n for n, pid in work.begun(log).items() if pid == full.pid]
    assert lost == [n for n in range(6) if kept.get(many[n].digest) is None] != []
    two_workers.remove(full)
    assert in_order(sweep(many, kept=kept)) == made
    assert work.done(log) == sorted([*range(6), *lost])


def test_an_address_where_nobody_answers(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(dask, "PATIENCE", 0.5)
    (tmp_path / "plan.toml").write_text(PLAN)
    words = ["ablation", str(tmp_path / "plan.toml"), "--data", ".", "--results"]
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()  # but nobody takes what comes
        taken = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        for address in (taken, "tcp://127.0.0.1:1", "tcp://nowhere.invalid:1", "nonsense://a"):
            assert main([*words, str(tmp_path / "r.json"), "--scheduler", address]) == 2
            said = capsys.readouterr().err.splitlines()
            assert f"No Dask scheduler answers at {address}" in said[-1]
            assert not (tmp_path / "r.json").exists()


def test_an_unknown_network_is_named_before_the_cluster_is_asked(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(Cluster, "__enter__", lambda self: pytest.fail("the cluster was asked"))
    (tmp_path / "plan.toml").write_text(PLAN.replace("resnet-digits", "nothing"))
    words = ["--data", ".", "--results", str(tmp_path / "r.json"), "--scheduler", "tcp://a:1"]
    assert main(["ablation", str(tmp_path / "plan.toml"), *words]) == 2
    assert "There is no bundled network 'builtin:nothing'" in capsys.readouterr().err


def test_jobs_and_a_scheduler_are_one_too_many(capsys, tmp_path):
    (tmp_path / "plan.toml").write_text(PLAN)
    words = ["--data", ".", "--results", str(tmp_path / "r.json"), "--jobs", "2"]
    assert main(["ablation", str(tmp_path / "plan.toml"), *words, "--scheduler", "tcp://a:1"]) == 2
    assert "--jobs is for this machine" in capsys.readouterr().err


def test_without_dask_a_sentence_says_what_to_install(capsys, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    (tmp_path / "plan.toml").write_text(PLAN)
    words = ["--data", ".", "--results", str(tmp_path / "r.json"), "--scheduler", "tcp://a:1"]
    assert main(["ablation", str(tmp_path / "plan.toml"), *words]) == 2
    assert "pip install 'bitlens[cluster]'" in capsys.readouterr().err


def test_pids_are_those_of_other_processes(tmp_path, two_workers):
    log = tmp_path / "log"
    run(units(log, gate=COUNT), Cluster(two_workers.address), Kept(tmp_path / "kept"))
    assert os.getpid() not in work.begun(log).values()
