"""SECURITY.md names a test for every promise, and no test that is not there."""

import re

from tests.browser.server import ROOT

ROW = re.compile(r"^\| (?!---)(.+?) \| (.+?) \|$", re.MULTILINE)


def test_every_promise_is_held_by_a_test_that_is_there():
    page = (ROOT / "SECURITY.md").read_text("utf-8")
    (section,) = re.findall(r"^## What is promised\n(.*?)^## ", page, re.MULTILINE | re.DOTALL)
    rows = ROW.findall(section)[1:]
    assert len(rows) > 10
    for promise, held_by in rows:
        names = re.findall(r"`([^`]+)`", held_by)
        assert names, promise
        assert all((ROOT / name).is_file() for name in names if not name.startswith("make")), names


def test_every_test_of_the_server_holds_a_promise():
    page = (ROOT / "SECURITY.md").read_text("utf-8")
    tests = {f"tests/server/{path.name}" for path in (ROOT / "tests/server").glob("test_*.py")}
    assert {one for one in tests if f"`{one}`" not in page} == {"tests/server/test_promises.py"}
