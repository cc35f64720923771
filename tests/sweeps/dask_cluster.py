"""A real Dask cluster on loopback: a scheduler and workers, each a process of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from tests.architecture.imports import ROOT

T = TypeVar("T")
STARTS_WITHIN = 60


class DaskCluster:
    """Inside `with`, a scheduler; `add_worker` starts workers. All are gone at the end."""

    def __init__(self, folder: Path, before: str = "") -> None:
        self.folder, self.before = folder, before
        self.processes: list[subprocess.Popen[bytes]] = []
        self.nannies: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "DaskCluster":
        file = self.folder / "scheduler.json"
        words = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show"]
        words += ["--scheduler-file", str(file)]
        self.scheduler = self._start("scheduler", words, before=self.before)
        self.address = json.loads(wait_for(lambda: _whole(file)))["address"]
        return self

    def __exit__(self, *failure: object) -> None:
        for process in self.processes:
            if process in self.nannies:
                process.terminate()  # and its worker with it
            else:
                process.kill()
        for process in self.processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()
        for process in self.processes:
            process.wait()

    def add_worker(
        self,
        python_path: tuple[Path, ...] = (),
        limit: Callable[[], None] | None = None,
        before: str = "",
        nanny: bool = False,
    ) -> subprocess.Popen[bytes]:
        """A worker of one thread; `before` is Python that runs first in its process.

        With a `nanny` it is started anew when it ends.
        """
        words = [self.address, "--nthreads", "1", "--no-dashboard"]
        words += ["--nanny" if nanny else "--no-nanny"]
        words += ["--host", "127.0.0.1", "--memory-limit", "0"]
        words += ["--local-directory", str(self.folder / "scratch")]
        process = self._start("worker", words, python_path, limit, before)
        self.nannies += [process] if nanny else []
        return process

    def remove(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()
        self.wait_for_workers(lambda pids: process.pid not in pids)

    def wait_for_workers(self, enough: Callable[[set[int]], bool]) -> None:
        from distributed import Client

        with Client(self.address, set_as_default=False, timeout=STARTS_WITHIN) as client:
            wait_for(lambda: enough(_pids(client)))

    def _start(
        self,
        what: str,
        words: list[str],
        python_path: tuple[Path, ...] = (),
        limit: Callable[[], None] | None = None,
        before: str = "",
    ) -> subprocess.Popen[bytes]:
        code = f"{before}\nfrom distributed.cli.dask_{what} import main\nmain()"
        process = subprocess.Popen(
            [sys.executable, "-c", code, *words],
            cwd=self.folder,
            env=environment(python_path),
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / f"{what}.log").open("ab"),
            preexec_fn=limit,
        )
        self.processes.append(process)
        return process


def environment(python_path: tuple[Path, ...] = ()) -> Mapping[str, str]:
    path = os.pathsep.join(map(str, (*python_path, ROOT)))
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}


def wait_for(what: Callable[[], T]) -> T:
    """What `what` gives once it is true; a failure where it is not in time."""
    for _ in range(STARTS_WITHIN * 20):
        if found := what():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} was not true in {STARTS_WITHIN} s")


def _pids(client: Any) -> set[int]:
    return set(client.run(os.getpid, on_error="ignore").values())


def _whole(file: Path) -> str:
    """The text of a JSON file, once it is there and whole."""
    try:
        text = file.read_text()
        json.loads(text)
    except (OSError, ValueError):
        return ""
    return text
