"""Classifiers and segmenters: chosen in the sidebar, loaded and quantized once for whoever asks."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from pages.parts.shared.worker import on_worker
from pages.parts.super_resolution.networks import show_hub_state
from quantlib.errors import QuantlibError
from quantlib.importance import Ranking, rank
from quantlib.importance.example import Example
from quantlib.importance.preparing import prepare, steps_for
from quantlib.models.catalogue import CatalogueEntry, bundled
from quantlib.ptq import QuantizedNetwork, Settings, SiteNetwork
from quantlib.quantizers.entropy import EntropyQuantizer
from quantlib.tasks.recognition import needs_examples
from quantlib.tasks.task import TASKS

OWN_FILE = "Your own file"
MAX_MEGABYTES = 100


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
        st.caption(_caption(known[name]))
        return _load(task, name)
    show_hub_state()
    if name == OWN_FILE:
        return _uploaded(task)
    if not name.startswith(("builtin:", "hub:")):
        raise QuantlibError(
            f"{name} is no network's name; choose one of the list or type hub:OWNER/NAME."
        )
    with st.spinner(f"Loading {name} from the Hugging Face Hub", show_time=True):
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
    file = st.file_uploader(
        "Checkpoint",
        type=["safetensors", "pth", "pt", "th", "bin"],
        key=f"{task}_file",
        max_upload_size=MAX_MEGABYTES,
    )
    kept = f"kept {task} file"
    if file is not None:
        st.session_state[kept] = (Path(file.name).name, file.getvalue())
    if kept not in st.session_state:
        raise QuantlibError("No network yet; drop a checkpoint in the sidebar or choose another.")
    name, content = st.session_state[kept]
    return _load_file(task, name, content)


@st.cache_resource(max_entries=6, show_spinner=False)
def _load(task: str, name: str) -> Recogniser:
    return on_worker(_read, task, name, name)


@st.cache_resource(max_entries=2, show_spinner=False)
def _load_file(task: str, name: str, content: bytes) -> Recogniser:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        return on_worker(_read, task, str(path), name)


def _read(task: str, path: str, name: str) -> Recogniser:
    code = TASKS[task].code
    network = code.load(path)
    classes = next((entry.classes for entry in bundled(task=task) if entry.name == name), ())
    return Recogniser(name, network, code.sites_of(network), classes)


def quantized(
    recogniser: Recogniser, settings: Settings, calibration: Calibration
) -> QuantizedNetwork:
    """The network under `settings`, shared and never changed."""
    return on_worker(_quantized, recogniser.key, settings, calibration.key, recogniser, calibration)


@st.cache_resource(max_entries=64, show_spinner=False)
def _quantized(
    key: tuple[str, str],
    settings: Settings,
    calibrated_on: str,
    _recogniser: Recogniser,
    _calibration: Calibration,
) -> QuantizedNetwork:
    sites = _recogniser.sites
    if settings.entry.budgeted:
        steps = _steps(key, calibrated_on, _recogniser, _calibration)
        return prepare(sites, settings, [], steps=steps)
    ranking = None
    if settings.needs_ranking:
        bits = (settings.bits, settings.extra_bits) if settings.criterion == "gain" else None
        ranking = _ranking(
            key, settings.criterion, bits, calibrated_on, _settings=settings,
            _recogniser=_recogniser, _calibration=_calibration,
        )  # fmt: skip
    examples = _calibration.examples if needs_examples(settings, ranking) else []
    return prepare(sites, settings, examples, ranking)


@st.cache_resource(max_entries=64, show_spinner=False)
def _ranking(
    key: tuple[str, str],
    criterion: str,
    bits: tuple[int, int] | None,
    calibrated_on: str,
    _settings: Settings,
    _recogniser: Recogniser,
    _calibration: Calibration,
) -> Ranking:
    examples = _calibration.examples
    return rank(_recogniser.sites, examples, criterion, _settings.bits, _settings.extra_bits)


@st.cache_resource(max_entries=16, show_spinner=False)
def _steps(
    key: tuple[str, str], calibrated_on: str, _recogniser: Recogniser, _calibration: Calibration
) -> dict[str, EntropyQuantizer]:
    """The proportions of the steps, which hold for every budget."""
    return steps_for(_recogniser.sites, _calibration.examples)
