"""`streamlit`, with little for its pages to compute."""

import sys

import pytest
from streamlit.web.cli import main

from pages.parts.memory import frontier
from tests.little_work import leave_little_work

EVERY = 4  # of the Memory page's points


def leave_few_points(patch: pytest.MonkeyPatch) -> None:
    grid = frontier.grid

    def thinned(choices, *which):
        return list(dict.fromkeys([*grid(choices, *which)[::EVERY], choices.settings]))

    patch.setattr(frontier, "grid", thinned)


if __name__ == "__main__":
    leave_little_work(pytest.MonkeyPatch())
    leave_few_points(pytest.MonkeyPatch())
    sys.exit(main())
