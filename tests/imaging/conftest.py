"""What tests of colours share."""

import pytest

from quantlib.imaging.profiles import profile_of_primaries

# Adobe RGB (1998): x and y of white, red, green and blue.
ADOBE = (0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)


@pytest.fixture
def wide_profile() -> bytes:
    profile = profile_of_primaries(1 / 2.2, ADOBE)
    assert profile is not None
    return profile
