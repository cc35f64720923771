"""What takes minutes on a cluster of two workers: `make cluster`."""

import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from quantlib.cli import main
from quantlib.sweeps.cluster import Cluster
from quantlib.sweeps.kept import Kept
from quantlib.sweeps.sweep import sweep
from tests.sweeps import work
from tests.sweeps.dask_cluster import DaskCluster
from tests.sweeps.test_cluster import PLAN, without_seconds
from tests.sweeps.test_sweep import in_order, units

JUMPING = """
import time
from pathlib import Path
_real, _jumped = time.time, Path({file!r})
time.time = lambda: _real() + (7 * 86400 if _jumped.exists() else 0)
"""
LARGER = PLAN.replace("pictures = 10", "pictures = 300").replace(
    "bits = [3]\nextra", "bits = [2, 3, 4]\nextra"
)


@pytest.mark.parametrize("seed", range(3))
def test_workers_that_die_again_and_again(tmp_path, seed):
    """One worker at a time is killed at random moments and replaced; the table stays the same."""
    drawn = random.Random(seed)
    log, kept, count = tmp_path / "log", Kept(tmp_path / "kept"), 60
    with DaskCluster(tmp_path) as cluster, ThreadPoolExecutor(1) as pool:
        workers = [cluster.add_worker(), cluster.add_worker()]
        cluster.wait_for_workers(lambda pids: {one.pid for one in workers} <= pids)
        slow = units(log, count, gate=5)
        found = pool.submit(lambda: in_order(sweep(slow, Cluster(cluster.address), kept)))
        for _ in range(2):  # a task is given up when it has ended four workers
            time.sleep(drawn.uniform(0.2, 1.5))
            victim = workers.pop(0)
            victim.send_signal(signal.SIGKILL)
            victim.wait()
            workers.append(cluster.add_worker())
        (tmp_path / "open").touch()
        assert found.result() == [str(n * n).encode() for n in range(count)]
    assert work.done(log) == [*range(count)]


@pytest.mark.parametrize("who", ["worker", "scheduler"])
def test_a_clock_that_jumps_a_week_ahead(tmp_path, who):
    log, kept, count = tmp_path / "log", Kept(tmp_path / "kept"), 8
    before = JUMPING.format(file=str(tmp_path / "jumped"))
    with DaskCluster(tmp_path, before if who == "scheduler" else "") as cluster:
        for _ in range(2):
            if who == "worker":
                cluster.add_worker(before=before)
            else:
                cluster.add_worker(nanny=True)  # the scheduler takes all for lost
        with ThreadPoolExecutor(1) as pool:
            some = units(log, count, gate=4)
            found = pool.submit(lambda: in_order(sweep(some, Cluster(cluster.address), kept)))
            while len(work.begun(log)) < 5:
                time.sleep(0.05)
            (tmp_path / "jumped").touch()
            time.sleep(2)
            (tmp_path / "open").touch()
            assert found.result() == [str(n * n).encode() for n in range(count)]
    assert work.done(log) == [*range(count)]


def test_a_larger_table_is_the_same_here_and_there(tmp_path, monkeypatch, capsys):
    (tmp_path / "plan.toml").write_text(LARGER)
    monkeypatch.chdir(tmp_path)
    words = ["ablation", "plan.toml", "--data", ".", "--results"]
    assert main([*words, "here.json"]) == 0
    with DaskCluster(tmp_path) as cluster:
        cluster.add_worker()
        cluster.add_worker()
        there = [*words, "there.json", "--scheduler", cluster.address, "--kept", "kept"]
        assert main(there) == 0
    assert without_seconds(Path("there.json")) == without_seconds(Path("here.json"))
