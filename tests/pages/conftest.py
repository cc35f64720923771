"""What pages under test have to compute is little."""

import pytest

from pages.parts.memory import frontier
from quantlib.ptq import Settings
from tests.little_work import leave_little_work


@pytest.fixture(autouse=True, scope="module")
def little_work():
    with pytest.MonkeyPatch.context() as patch:
        leave_little_work(patch)
        yield


@pytest.fixture
def few_points(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Memory page with three points instead of all."""
    points = [Settings("direct", bits) for bits in (2, 4)]
    monkeypatch.setattr(frontier, "grid", lambda choices, *_: [*points, choices.settings])
