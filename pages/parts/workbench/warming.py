"""What the first visitor needs: libraries before the server answers, measurements soon after."""

import gc
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st


@asynccontextmanager
async def warmed(app: st.App) -> AsyncIterator[None]:
    """The lifespan of the server; measuring goes on beside its first visitors."""
    import_pages()
    threading.Thread(target=measure_first_screen, name="warming", daemon=True).start()
    yield


def import_pages() -> None:
    """PyTorch and all that the workbench imports, so that no visitor waits for them."""
    gc.disable()  # a sixth of the time that the imports take, and they leave hardly any garbage
    try:
        import pages.parts.workbench.compared
        import pages.parts.workbench.integers
        import pages.parts.workbench.panels
        import pages.parts.workbench.pictures  # noqa: F401
    finally:
        gc.enable()


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
