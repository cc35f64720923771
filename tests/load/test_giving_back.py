"""What is used no more goes back: past visits, and memory."""

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import streamlit as st
from streamlit import runtime
from streamlit.runtime.memory_session_storage import MemorySessionStorage

from pages.parts.server import giving_back as module
from pages.parts.server.giving_back import end_expired_visits, giving_back
from pages.parts.shared import worker
from tests import own_loop


def session(name: str) -> Any:
    return SimpleNamespace(session=SimpleNamespace(id=name))


def test_visits_that_nobody_comes_back_to_are_let_go(monkeypatch):
    now = [0.0]
    storage = MemorySessionStorage()
    storage._cache._timer = lambda: now[0]  # type: ignore[attr-defined]
    manager = SimpleNamespace(_session_storage=storage)
    monkeypatch.setattr(runtime, "exists", lambda: True)
    monkeypatch.setattr(runtime, "get_instance", lambda: SimpleNamespace(_session_mgr=manager))
    storage.save(session("early"))
    now[0] = 100.0
    storage.save(session("late"))
    assert end_expired_visits() == 0
    now[0] = 121.0
    assert end_expired_visits() == 1
    assert storage.get("late") is not None


def test_another_version_of_streamlit_is_left_alone(monkeypatch):
    monkeypatch.setattr(runtime, "exists", lambda: True)
    monkeypatch.setattr(runtime, "get_instance", SimpleNamespace)
    assert end_expired_visits() == 0


def test_it_gives_back_after_work_and_only_then(monkeypatch):
    given: list[int] = []
    monkeypatch.setattr(module, "EVERY", 0.01)
    monkeypatch.setattr(module, "give_back", lambda: given.append(1))

    @asynccontextmanager
    async def lifespan(app: object):
        yield

    async def story() -> tuple[int, int]:
        worker.on_worker(int)
        async with giving_back(lifespan)(st):  # type: ignore[arg-type]
            await asyncio.sleep(0.3)
            first = len(given)
            worker.on_worker(int)
            await asyncio.sleep(0.3)
            return first, len(given)

    assert own_loop.run(story()) == (1, 2)
