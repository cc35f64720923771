"""The app in a process of its own, as a visitor meets it."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bare_environment import bare_environment

ROOT = Path(__file__).parents[2]
START_SECONDS = 60
TAIL = 6000  # characters of a log


@dataclass(frozen=True)
class Server:
    """`seconds` passed from its start until it answered."""

    url: str
    log: Path
    seconds: float
    pid: int

    def log_tail(self, characters: int = TAIL) -> str:
        return _tail(self.log, characters)


@contextmanager
def serve(
    script: Path,
    streamlit: str = "streamlit",
    address: str | None = "127.0.0.1",
    **environment: str,
) -> Iterator[Server]:
    """Runs `streamlit run script` from the repository root until the block is left.

    `streamlit` is the module that is run; without `address` the app's settings say where it
    listens. The process sees an empty home folder, so no cache and no settings of the person who
    runs it, and `environment`.
    """
    with tempfile.TemporaryDirectory(prefix="bitlens-") as home:
        log = Path(home) / "streamlit.log"
        port = _free_port()
        command = [sys.executable, "-m", streamlit, "run", str(script)]
        options = ["--server.headless=true", f"--server.port={port}"]
        options += [f"--server.address={address}"] if address else []
        started = time.perf_counter()
        with log.open("wb") as sink:
            process = subprocess.Popen(
                command + options,
                cwd=ROOT,
                env=_environment(home) | environment,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
            )
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_until_healthy(process, url, log)
            yield Server(url, log, time.perf_counter() - started, process.pid)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _environment(home: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if name.startswith("BITLENS_")}
    return bare_environment(
        **own,
        HOME=home,
        TMPDIR=home,
        PYTHONPATH=str(ROOT),
        PYTHONUNBUFFERED="1",
        PYTHONDONTWRITEBYTECODE="1",
        HF_HUB_DISABLE_TELEMETRY="1",
    )


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _wait_until_healthy(process: subprocess.Popen, url: str, log: Path) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with direct.open(f"{url}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    state = "ended" if process.poll() is not None else f"gave no answer in {START_SECONDS} s"
    raise RuntimeError(f"The Streamlit server {state}; its log:\n{_tail(log)}")


def _tail(log: Path, characters: int = TAIL) -> str:
    return log.read_text("utf-8", errors="replace")[-characters:]
