"""Pages under test look at small pictures: what they do with them does not depend on the size."""

import pytest

from quantlib.tasks import super_resolution

SIDE = 64


@pytest.fixture(autouse=True, scope="module")
def small_samples():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(super_resolution, "INPUT_SIDE", SIDE)
        yield
