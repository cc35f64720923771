"""Classifiers and segmenters: chosen in the sidebar, and loaded once for whoever asks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.parts.shared.hub import check_name, coming_from_hub, show_hub_state
from pages.parts.shared.quantizing import Quantizable
from pages.parts.shared.terms import caption
from pages.parts.shared.uploads import dropped, kept
from pages.parts.shared.worker import on_worker
from quantlib.importance.example import Example
from quantlib.models.catalogue import CatalogueEntry, bundled
from quantlib.models.checkpoint import SUFFIXES
from quantlib.ptq import SiteNetwork
from quantlib.tasks.task import TASKS

OWN_FILE = "Your own file"
MAX_MEGABYTES = 100
NO_NETWORK = "No network yet; drop a checkpoint in the sidebar or choose another."


@dataclass(frozen=True, eq=False)
class Recogniser:
    """A network with its activation sites; `classes` are their names, empty if they are not known.

    `name` is what loads it elsewhere.
    """

    name: str
    network: Any
    sites: SiteNetwork
    classes: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str]:
        """What it goes by in caches."""
        return self.name, self.network.sha256

    def calibrated_on(self, calibration: "Calibration") -> Quantizable:
        return Quantizable(self.key, self.sites, calibration.key, calibration.examples)


@dataclass(frozen=True, eq=False)
class Calibration:
    """What channels are ranked and scales frozen on; `key` is what it goes by in caches."""

    key: str
    examples: Sequence[Example]


def choose_recogniser(task: str, classes: Sequence[str] = ()) -> Recogniser | None:
    """The sidebar's network for `task`: bundled, from the Hub, or an uploaded file.

    Bundled ones that know these `classes` come first. None where nothing is bundled and nothing
    was chosen yet.
    """
    known = {entry.name: entry for entry in fitting_first(task, classes)}
    name = st.selectbox(
        "Network",
        [*known, OWN_FILE],
        index=0 if known else None,
        key=network_key(task),
        bind="query-params",
        accept_new_options=True,
        help="Bundled networks work offline. From the Hugging Face Hub: type hub:OWNER/NAME or "
        "hub:OWNER/NAME@REVISION:FILE.",
    )
    if name is None:
        return None
    if name in known:
        caption(_caption(known[name]))
        return _load(task, name)
    show_hub_state()
    if name == OWN_FILE:
        return _uploaded(task)
    check_name(name)
    with coming_from_hub(f"Loading {name}"):
        return _load(task, name)


def network_key(task: str) -> str:
    """The key of the choice of a network."""
    return f"{task}_network"


def fitting_first(task: str, classes: Sequence[str]) -> list[CatalogueEntry]:
    """The bundled networks, those whose classes are `classes` first."""
    return sorted(bundled(task=task), key=lambda entry: entry.classes != tuple(classes))


def show_nothing_bundled(task: str) -> None:
    """One sentence in place of a page that has no network to work with."""
    st.info(
        f"No network for {task} is bundled; drop a checkpoint in the sidebar, or name one of the "
        "Hugging Face Hub there.",
        icon=":material/hourglass_empty:",
    )


def _caption(entry: CatalogueEntry) -> str:
    measured = f"; measured when it was trained: {entry.measured}" if entry.measured else ""
    return f"{entry.title}{measured}."


def _uploaded(task: str) -> Recogniser:
    key = f"{task}_file"
    file = dropped("Checkpoint", SUFFIXES, key, MAX_MEGABYTES)
    return _load_file(task, *kept(key, file, NO_NETWORK))


@st.cache_resource(max_entries=6, show_spinner=False)
def _load(task: str, name: str) -> Recogniser:
    return on_worker(_read, task, name)


@st.cache_resource(max_entries=2, show_spinner=False)
def _load_file(task: str, name: str, content: bytes) -> Recogniser:
    return on_worker(_read_file, task, name, content)


def _read(task: str, name: str) -> Recogniser:
    code = TASKS[task].code
    network = code.load(name)
    classes = next((entry.classes for entry in bundled(task=task) if entry.name == name), ())
    return Recogniser(name, network, code.sites_of(network), classes)


def _read_file(task: str, name: str, content: bytes) -> Recogniser:
    code = TASKS[task].code
    network = code.decode(content, name)
    return Recogniser(name, network, code.sites_of(network), ())
