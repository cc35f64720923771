"""Classifiers and segmenters: chosen in the sidebar, and loaded once for whoever asks."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.parts.shared.arriving import Tell, arrived, nothing_awaited
from pages.parts.shared.caching import shared
from pages.parts.shared.hub import check_name, checkpoint_of, show_hub_state
from pages.parts.shared.quantizing import Quantizable
from pages.parts.shared.reading import reading
from pages.parts.shared.terms import caption
from pages.parts.shared.uploads import Upload, dropped, kept
from pages.parts.shared.ways import Way
from pages.parts.shared.worker import on_worker
from quantlib.importance.example import Example
from quantlib.models.apart import read_checkpoint_apart
from quantlib.models.catalogue import CatalogueEntry, bundled
from quantlib.models.checkpoint import Checkpoint
from quantlib.models.sources import Origin
from quantlib.models.suffixes import SUFFIXES
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


def choose_recogniser(
    task: str, waiting: DeltaGenerator, classes: Sequence[str] = ()
) -> Recogniser | None:
    """The sidebar's network for `task`: bundled, from the Hub, or an uploaded file.

    Bundled ones that know these `classes` come first. None where nothing is bundled and nothing
    was chosen yet. What is waited for is shown in the place `waiting`.
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
    if name is None or name in known or name == OWN_FILE:
        nothing_awaited()
    if name is None:
        return None
    if name in known:
        caption(_caption(known[name]))
        return _load(task, name)
    show_hub_state()
    if name == OWN_FILE:
        return _uploaded(task, waiting)
    check_name(name)
    ways = [_bundled_way(task, one) for one in list(known)[:1]]
    with waiting:
        return arrived((task, name), name, partial(_bring, task, name), *ways)


def _bundled_way(task: str, name: str) -> Way:
    def choose() -> None:
        st.session_state[network_key(task)] = name

    return Way("Go on with the bundled network", ":material/deployed_code:", choose)


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


def _uploaded(task: str, waiting: DeltaGenerator) -> Recogniser:
    key = f"{task}_file"
    file = kept(key, dropped("Checkpoint", SUFFIXES, key, MAX_MEGABYTES), NO_NETWORK)
    with waiting:
        return _read_file(task, file)


@shared(megabytes=512)
def _load(task: str, name: str) -> Recogniser:
    return on_worker(_read, task, name)


def _read(task: str, name: str) -> Recogniser:
    code = TASKS[task].code
    network = code.load(name)
    classes = next((entry.classes for entry in bundled(task=task) if entry.name == name), ())
    return Recogniser(name, network, code.sites_of(network), classes)


@shared(megabytes=256)
def _read_file(task: str, file: Upload) -> Recogniser:
    with reading(file.name) as watch:
        checkpoint = read_checkpoint_apart(file.content, file.name, watch)
    return on_worker(_made_of, task, checkpoint, Origin.of(file.name))


def _bring(task: str, name: str, tell: Tell) -> Recogniser:
    return on_worker(_made_of, task, *checkpoint_of(name, tell, with_config=True))


def _made_of(task: str, checkpoint: Checkpoint, origin: Origin) -> Recogniser:
    code = TASKS[task].code
    network = code.decode(checkpoint, origin)
    return Recogniser(origin.name, network, code.sites_of(network), ())
