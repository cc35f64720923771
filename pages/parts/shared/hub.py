"""The Hugging Face Hub, as the pages speak of it and to it."""

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import streamlit as st

from pages.parts.shared.arriving import Tell
from pages.parts.shared.reading import turn
from pages.parts.shared.terms import caption
from quantlib.errors import QuantlibError

if TYPE_CHECKING:
    from quantlib.models.checkpoint import Checkpoint
    from quantlib.models.hub import HubFile, HubReference
    from quantlib.models.sources import Source

PUBLIC = "builtin:", "hub:"
"""How the names of networks begin that are nobody's own."""
MOST_BYTES = 200_000_000  # of a file from the Hub, and of what is left beside what computes


def check_name(name: str) -> None:
    """A QuantlibError where `name`, which a visitor typed, is no network's: nothing is a path."""
    if not name.startswith(PUBLIC):
        raise QuantlibError(
            f"{name} is no network's name; choose one of the list or type hub:OWNER/NAME."
        )


@st.cache_resource(ttl=timedelta(minutes=5), show_spinner=False)  # a text would need pandas
def hub_is_reachable() -> bool:
    from quantlib.models.hub import hub_reachable  # slow to import

    return hub_reachable()


def show_hub_state() -> None:
    """One line when the Hub cannot be reached."""
    if not hub_is_reachable():
        caption(
            ":material/cloud_off: The Hugging Face Hub cannot be reached; "
            "everything works with the bundled networks."
        )


def checkpoint_of(name: str, tell: Tell, with_config: bool = False) -> "tuple[Checkpoint, Source]":
    """The checkpoint called `hub:OWNER/NAME[@REVISION][:FILE]`, and where it comes from.

    It is fetched in one process of its own and read in another. `with_config` what is stated of
    preparing pictures comes along.
    """
    from quantlib.models.apart import read_checkpoint_file_apart
    from quantlib.models.sources import locate

    source = locate(name, lambda reference: fetched(reference, tell), with_config)
    with turn(lambda: tell(1.0, "waiting to be checked")):
        checkpoint = read_checkpoint_file_apart(
            source.path, lambda said: tell(1.0, "checking what arrived")
        )
    tell(1.0, "loading")
    return checkpoint, source


def fetched(reference: "HubReference", tell: Tell) -> "HubFile":
    """The file of `reference`, fetched in a process of its own."""
    from quantlib.models.hub.apart import fetch_apart

    started = time.monotonic()

    def watch(done: int, total: int) -> None:
        if not done:
            tell(0.0, "asking the Hub")
            return
        left = (time.monotonic() - started) / done * (total - done)
        note = f", about {left:.0f} s left" if total else ""
        of = f" of {total / 1e6:.1f}" if total else ""
        tell(done / total if total else 0.0, f"{done / 1e6:.1f}{of} MB{note}")

    return fetch_apart(reference, watch, MOST_BYTES)
