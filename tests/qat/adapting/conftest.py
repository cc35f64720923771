import pytest


@pytest.fixture(autouse=True)
def short_runs(formulas_as_they_are: None) -> None:
    """All are."""
