"""Two minutes of visitors who come and go; `make soak` does it for twenty."""

import pytest

from tests.browser.server import ROOT, serve
from tests.load.ready import wait_until_warm
from tests.load.soaking import soak
from tests.load.watching import held_by

SECONDS, VISITORS = 120, 3


@pytest.mark.timeout(600)
def test_nobody_sees_an_error_and_everybody_the_same():
    with serve(ROOT / "app.py") as server:
        wait_until_warm(server.url)
        found = soak(server.url, SECONDS, VISITORS, seed=1)
        held = held_by(server.pid)
    assert len(found.visits) > 2 * VISITORS and found.left
    assert not found.errors and not found.differing
    assert held.resident < 3 * 2**30
