"""Processes that a test spawns import what `__main__` is; after a page's test that is a page."""

import sys
from types import ModuleType

import pytest


@pytest.fixture(autouse=True)
def own_main(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
