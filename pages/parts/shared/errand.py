"""For whom a thread works, and whether anybody still waits for it."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.web.server.starlette.starlette_app_utils import decode_xsrf_token_string

from quantlib.stopping import stopping_when

COOKIE = "_streamlit_xsrf"


def never() -> bool:
    return False


@dataclass(frozen=True)
class Errand:
    """Work for `visitor`; long work keeps out of the way of what others wait for."""

    visitor: Hashable = None
    is_long: bool = False
    unwanted: Callable[[], bool] = never

    def until(self, left: Callable[[], bool]) -> "Errand":
        """The same, which also ends when `left()` is true."""
        return replace(self, unwanted=lambda: left() or self.unwanted())


_errand: ContextVar[Errand | None] = ContextVar("errand", default=None)


@contextmanager
def on_errand(errand: Errand) -> Iterator[None]:
    """What this thread does inside is done for `errand`, and ends when that is unwanted."""
    token = _errand.set(errand)
    try:
        with stopping_when(errand.unwanted):
            yield
    finally:
        _errand.reset(token)


def errand() -> Errand:
    """That of this thread; a page's script works for its visitor."""
    return _errand.get() or Errand(visitor())


def visitor() -> Hashable:
    """The browser that the script of this thread draws for, with all its tabs.

    Told by the token that Streamlit gives it against forged requests, or else by the session; None
    where there is no script.
    """
    context = get_script_run_ctx(suppress_warning=True)
    if context is None:
        return None
    token, _ = decode_xsrf_token_string(st.context.cookies.get(COOKIE, ""))
    return token or context.session_id


def look_up() -> None:
    """Lets Streamlit end the script of this thread where its visitor has left or clicked.

    Streamlit does so whenever the state of the session is read.
    """
    if _errand.get() is None and get_script_run_ctx(suppress_warning=True) is not None:
        st.session_state.get("anything")
