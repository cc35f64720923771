"""The first screen, measured when the server starts: before anybody has asked for it."""

import gc
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st


@asynccontextmanager
async def warmed(app: st.App) -> AsyncIterator[None]:
    """The lifespan of the server; measuring goes on beside its first visitors."""
    threading.Thread(target=measure_first_screen, name="warming", daemon=True).start()
    yield


def measure_first_screen() -> None:
    """What a visitor sees who has chosen nothing, put where the page looks for it."""
    gc.disable()  # a sixth of the time that the imports take, and they leave hardly any garbage
    try:
        from pages.parts.shared.hub import hub_is_reachable
        from pages.parts.shared.method import first_settings
        from pages.parts.super_resolution.networks import DEFAULT, loaded
        from pages.parts.super_resolution.pictures import TITLES, subject
        from pages.parts.super_resolution.sidebar import Choices
        from pages.parts.super_resolution.waiting import measurements
        from pages.parts.workbench.compared import all_settings
    finally:
        gc.enable()

    network = loaded(DEFAULT)
    first_picture = next(iter(TITLES))
    choices = Choices(subject(first_picture, network.scale), network, first_settings())
    with measurements(choices, all_settings(choices)) as under_way:
        hub_is_reachable()
        for measurement in under_way.values():
            measurement.result()
