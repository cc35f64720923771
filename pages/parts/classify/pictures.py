"""The labelled pictures that a visitor chooses, and others of the same kind to calibrate on."""

import hashlib
from dataclasses import dataclass

import streamlit as st

from pages.parts.recognition.networks import Calibration, fitting_first, network_key
from pages.parts.shared.as_text import as_text
from pages.parts.shared.hub import coming_from_hub
from pages.parts.shared.terms import caption
from pages.parts.shared.uploads import dropped, kept
from pages.parts.shared.worker import on_worker
from quantlib.datasets import LabelledPictures
from quantlib.datasets.folders import DIGITS as DIGIT_CLASSES
from quantlib.datasets.folders import read_digits
from quantlib.datasets.labelled import CIFAR10_CLASSES
from quantlib.datasets.reading import read_parquet
from quantlib.errors import QuantlibError
from quantlib.imaging.formats import FORMATS
from quantlib.importance.example import labelled_batches
from quantlib.models.catalogue import CLASSIFICATION
from quantlib.tasks.cifar10 import cifar10

DIGITS, CIFAR10, OWN_FILE = "digits", "cifar10", "file"
TITLES = {
    DIGITS: "Handwritten digits",
    CIFAR10: "CIFAR-10 from the Hub",
    OWN_FILE: "Your own parquet file",
}
COUNTS = (100, 250, 500, 1000)
CALIBRATION = 250
MAX_MEGABYTES = 50


@dataclass(frozen=True, eq=False)
class LabelledData:
    """Pictures to classify and those to calibrate on.

    `source` is a key of `TITLES`, `name` what finds the data elsewhere: the source or a file.
    """

    key: str
    source: str
    name: str
    pictures: LabelledPictures
    calibration: Calibration
    calibrated_on: int
    note: str


def choose_data() -> LabelledData:
    """The sidebar's data set; QuantlibError where it cannot be had."""
    source = st.selectbox(
        "Pictures",
        list(TITLES),
        format_func=TITLES.__getitem__,
        key="data",
        bind="query-params",
        on_change=_choose_fitting_network,
    )
    count = st.select_slider(
        "How many",
        COUNTS,
        value=500,
        key="count",
        bind="query-params",
        help="Of digits there are 500 test pictures.",
    )
    if source == OWN_FILE:
        data = _uploaded(count)
    elif source == CIFAR10:
        with coming_from_hub("Getting CIFAR-10"):
            data = _data(source, count)
    else:
        data = _data(source, count)
    caption(as_text(data.note))
    return data


def expected_classes() -> tuple[str, ...]:
    """Those of the pictures that are chosen, known before they are read."""
    asked = st.query_params.get("data", TITLES[DIGITS])
    source = st.session_state.get("data") or next(
        (k for k, t in TITLES.items() if t == asked), DIGITS
    )
    return DIGIT_CLASSES if source == DIGITS else CIFAR10_CLASSES


def _choose_fitting_network() -> None:
    """With other pictures goes a network that knows their classes."""
    for entry in fitting_first(CLASSIFICATION, expected_classes())[:1]:
        st.session_state[network_key(CLASSIFICATION)] = entry.name


@st.cache_resource(max_entries=8, show_spinner=False)
def _data(source: str, count: int) -> LabelledData:
    if source == CIFAR10:
        pictures, calibration = cifar10("test", count), cifar10("train", CALIBRATION)
        credit = "CIFAR-10 (Krizhevsky, 2009)"
    else:
        pictures, calibration = read_digits()[:count], read_digits("train")[:CALIBRATION]
        credit = "Optical recognition of handwritten digits, as scikit-learn brings it"
    note = f"{credit}: {len(pictures):,} test pictures; calibrated on {CALIBRATION} others."
    held = Calibration(source, labelled_batches(calibration))
    return LabelledData(f"{source} {count}", source, source, pictures, held, CALIBRATION, note)


def _uploaded(count: int) -> LabelledData:
    file = dropped(
        "Parquet file",
        ["parquet"],
        "parquet",
        MAX_MEGABYTES,
        help=f"In CIFAR-10's form: column img with {FORMATS} files, label with the numbers of "
        "ten classes.",
    )
    missing = "No pictures yet; drop a parquet file in the sidebar."
    return _own(*kept("parquet", file, missing), count)


@st.cache_resource(max_entries=4, show_spinner=False)
def _own(name: str, content: bytes, count: int) -> LabelledData:
    found = on_worker(read_parquet, content, name, CALIBRATION + count)
    if len(found) < 2:
        raise QuantlibError(
            f"{name} holds {len(found)} pictures; some are needed to calibrate on and others to "
            "classify, so choose a file with more."
        )
    held = min(CALIBRATION, len(found) // 2)
    note = (
        f"{name}: calibrated on the first {held:,} pictures, and the next {len(found) - held:,} "
        "classified."
    )
    key = f"{hashlib.sha256(content).hexdigest()} {count}"
    calibration = Calibration(key, labelled_batches(found[:held]))
    return LabelledData(key, OWN_FILE, name, found[held:], calibration, held, note)
