"""What every test may use, and how tests run side by side."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]
SHARED_DATA = Path(os.environ.get("BITLENS_DATA") or ROOT.parent / "shared" / "data")

# `make test` judges a change by the same few examples everywhere, `make fuzz` looks for new ones.
settings.register_profile("repeatable", derandomize=True, max_examples=20)
settings.register_profile("fuzz", print_blob=True, max_examples=100)
settings.load_profile("repeatable")

WITH_A_SERVER = "tests/browser", "tests/server"

_left_out = pytest.StashKey[int]()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The data folder; a test that asks for it carries the marker `shared`."""
    assert SHARED_DATA.is_dir(), "mark this test with @pytest.mark.shared"
    return SHARED_DATA


@pytest.fixture(scope="module")
def little_work() -> Iterator[None]:
    """The pages have little to compute while a file's tests run."""
    from tests.little_work import leave_little_work

    with pytest.MonkeyPatch.context() as patch:
        leave_little_work(patch)
        yield


@pytest.fixture
def formulas_as_they_are() -> Iterator[None]:
    """For short runs: compiling quantizers would outlast them (tests/qat holds the two equal)."""
    from quantlib.qat.fused import uncompiled

    with uncompiled():
        yield


@pytest.fixture
def say(record_property) -> Callable[[str], None]:
    """say("42 found") puts a line at the end of the run, whichever process the test ran in."""
    return lambda line: record_property("said", line)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log):
    """A file's tests stay together, and those of a folder that has one server for all."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return next((one for one in WITH_A_SERVER if file.startswith(f"{one}/")), file)

    return Scheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if SHARED_DATA.is_dir():
        return
    left_out = [item for item in items if item.get_closest_marker("shared")]
    config.stash[_left_out] = len(left_out)
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for report in terminalreporter.getreports("passed"):
        for name, line in report.user_properties:
            if name == "said":
                terminalreporter.write_line(str(line))
    if count := config.stash.get(_left_out, 0):
        terminalreporter.write_line(
            f"{count} tests that measure on ../shared/data were left out: the folder is not here"
        )
