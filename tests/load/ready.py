"""When a server that has just been started is ready for visitors."""

import time
from urllib.error import URLError
from urllib.request import urlopen

from tests.load.visitor import Address, visit

SECONDS = 120


def wait_until_warm(server: str) -> None:
    """Until its health says so and somebody has seen the first screen."""
    deadline = time.monotonic() + SECONDS
    while not _is_healthy(server):
        assert time.monotonic() < deadline, f"{server} did not become healthy"
        time.sleep(0.2)
    visit(server, Address(""), SECONDS)


def _is_healthy(server: str) -> bool:
    try:
        with urlopen(f"{server}/health", timeout=5) as answer:
            return answer.status == 200
    except (URLError, TimeoutError):
        return False
