"""What pages under test have to compute is little."""

from collections.abc import Iterator

import pytest

from pages.parts.memory import frontier
from pages.parts.shared import arriving
from pages.parts.super_resolution import comparing
from quantlib.ptq import Settings


@pytest.fixture(autouse=True, scope="module")
def all_with_little_work(little_work: None) -> Iterator[None]:
    """What pages do does not depend on how much they have to compute, nor on how long they wait."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparing, "PATIENCE", 120)
        patch.setattr(arriving, "PATIENCE", 120)
        yield


@pytest.fixture
def few_points(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Memory page with three points instead of all."""
    points = [Settings("direct", bits) for bits in (2, 4)]
    monkeypatch.setattr(frontier, "grid", lambda choices, *_: [*points, choices.settings])
