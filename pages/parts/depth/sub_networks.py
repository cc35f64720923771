"""Super-networks and their sub-networks, measured once for whoever asks."""

from collections.abc import Sequence

import streamlit as st

from pages.parts.shared.worker import side_by_side
from pages.parts.super_resolution.pictures import Subject
from pages.parts.super_resolution.waiting import progress
from quantlib.models import SRNetwork, load
from quantlib.models.catalogue import CatalogueEntry, bundled
from quantlib.tasks.super_networks import SubNetwork, through_blocks, with_8bit_ends


def super_networks() -> dict[str, CatalogueEntry]:
    """The bundled networks with three depths, by name."""
    return {entry.name: entry for entry in bundled() if entry.depths == "joint"}


def trained_alone(name: str) -> dict[str, str]:
    """Networks whose blocks of one depth were trained by themselves: depth and name."""
    return {
        entry.depths: entry.name
        for entry in bundled()
        if entry.depths not in ("", "joint") and entry.name == f"{name}-{entry.depths}"
    }


@st.cache_resource(max_entries=8, show_spinner=False)
def loaded_super_network(name: str) -> SRNetwork:
    return load(name)


@st.cache_resource(max_entries=600, show_spinner=False)
def _through(name: str, kept: tuple[int, ...], digest: str, _subject: Subject) -> SubNetwork:
    network = loaded_super_network(name)
    return through_blocks(network, kept, _subject.low, _subject.truth)


@st.cache_resource(max_entries=100, show_spinner=False)
def _with_8bit_ends(name: str, kept: tuple[int, ...], digest: str, _subject: Subject) -> SubNetwork:
    network = with_8bit_ends(loaded_super_network(name), _subject.low)
    return through_blocks(network, kept, _subject.low, _subject.truth)


def sub_network_with_8bit_ends(name: str, kept: tuple[int, ...], subject: Subject) -> SubNetwork:
    """The picture through the blocks `kept` of a network whose ends have 8 bits."""
    return _with_8bit_ends(name, kept, subject.digest, subject)


def sub_networks(
    subject: Subject, wanted: Sequence[tuple[str, tuple[int, ...]]], what: str
) -> list[SubNetwork]:
    """The picture through each (network, blocks) of `wanted`, with progress."""

    def measure(one: tuple[str, tuple[int, ...]]) -> SubNetwork:
        return _through(*one, subject.digest, subject)

    found = []
    with side_by_side(measure, list(dict.fromkeys(wanted))) as under_way, progress(what) as watch:
        for done, one in enumerate(wanted):
            watch(done, len(wanted))
            found.append(under_way[one].result())
    return found
