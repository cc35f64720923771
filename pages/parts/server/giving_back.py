"""What is used no more goes back: memory to the operating system, descriptors of past visits."""

import asyncio
import ctypes
import gc
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import streamlit as st
from streamlit import runtime

EVERY = 20.0  # seconds
Lifespan = Callable[[st.App], AbstractAsyncContextManager[None]]


def giving_back(lifespan: Lifespan) -> Lifespan:
    """The same lifespan, in which what is used no more goes back again and again."""

    @asynccontextmanager
    async def both(app: st.App) -> AsyncIterator[None]:
        async with lifespan(app):
            beside = asyncio.create_task(_again_and_again())
            yield
            beside.cancel()

    return both


async def _again_and_again() -> None:
    given = 0.0
    while True:
        await asyncio.sleep(EVERY)
        expired = end_expired_visits()
        if expired or _last_used() > given:
            given = time.monotonic()
            await asyncio.to_thread(give_back)


def _last_used() -> float:
    from pages.parts.shared import worker  # imports PyTorch

    return worker.last_done()


def give_back() -> None:
    """Frees what nobody holds; glibc alone keeps freed memory for itself, and can be asked."""
    gc.collect()
    if (trim := _malloc_trim()) is not None:
        trim(0)


def _malloc_trim() -> Callable[[int], int] | None:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # another library of C
        return None


def end_expired_visits() -> int:
    """How many visits nobody can come back to any more were let go now.

    Streamlit holds three descriptors of each for two minutes, and then until another visit ends.
    What is asked for is private: where another version lacks it, it stays like that.
    """
    if not runtime.exists():
        return 0
    manager = getattr(runtime.get_instance(), "_session_mgr", None)
    past: Any = getattr(getattr(manager, "_session_storage", None), "_cache", None)
    return len(past.expire()) if hasattr(past, "expire") else 0
