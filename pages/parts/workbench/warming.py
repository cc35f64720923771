"""What the server does before anybody has asked: imports, and the first screen's measurements."""

import gc
import importlib
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from pages.parts.shared.outliving import keep_results

PARTS = Path(__file__).parents[1]
_importing = threading.Lock()
_warmed = threading.Event()


@asynccontextmanager
async def warmed(app: st.App) -> AsyncIterator[None]:
    """The lifespan of the server; measuring goes on beside its first visitors."""
    _know_the_router()
    keep_results()
    _importing.acquire()
    threading.Thread(target=_warm, name="warming", daemon=True).start()
    yield


def _know_the_router() -> None:
    """Streamlit learns that there is a router when that has run.

    A page opened by its address before would stand alone, beside a list of files. The name is
    private: where another version lacks it, the first visit looks like that.
    """
    if hasattr(PagesManager, "uses_pages_directory"):
        PagesManager.uses_pages_directory = False


def is_warming() -> bool:
    """Whether visitors would wait longer than later ones."""
    return not _warmed.is_set()


def wait_for_imports() -> None:
    """Until the server has imported what pages need, where it is about to.

    Two threads that import the same modules at once can meet one of them half made.
    """
    with _importing:
        pass


def _warm() -> None:
    try:
        import_pages()
    finally:
        _importing.release()
    try:
        measure_first_screen()
        import_the_rest()
    finally:
        _warmed.set()


def import_pages() -> None:
    """All that the workbench imports, PyTorch too."""
    gc.disable()  # a sixth of the time that the imports take, and they leave hardly any garbage
    try:
        import pages.parts.workbench.beside
        import pages.parts.workbench.compared
        import pages.parts.workbench.integers
        import pages.parts.workbench.panels
        import pages.parts.workbench.pictures
        import pages.parts.workbench.whole_view  # noqa: F401
    finally:
        gc.enable()


def import_the_rest() -> None:
    """What the other pages import, so that nobody waits for it later."""
    from pages.parts.shared.start import freeze

    for path in sorted(PARTS.rglob("*.py")):
        importlib.import_module(".".join(path.relative_to(PARTS.parents[1]).with_suffix("").parts))
    freeze()


def measure_first_screen() -> None:
    """What a visitor sees who has chosen nothing, put where the page looks for it."""
    from pages.parts.shared.hub import hub_is_reachable
    from pages.parts.shared.method import first_settings
    from pages.parts.super_resolution.networks import DEFAULT, loaded
    from pages.parts.super_resolution.pictures import TITLES, subject
    from pages.parts.super_resolution.sidebar import Choices
    from pages.parts.super_resolution.waiting import measurements
    from pages.parts.workbench.compared import all_settings

    network = loaded(DEFAULT)
    first_picture = next(iter(TITLES))
    choices = Choices(subject(first_picture, network.scale), network, first_settings())
    with measurements(choices, all_settings(choices)) as under_way:
        hub_is_reachable()
        for measurement in under_way.values():
            measurement.result()
