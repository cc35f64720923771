"""The labelled pictures that a visitor chooses, and others of the same kind to calibrate on."""

import hashlib
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.parts.recognition.networks import Calibration, fitting_first, network_key
from pages.parts.shared.arriving import Tell, arrived
from pages.parts.shared.as_text import as_text
from pages.parts.shared.caching import shared
from pages.parts.shared.hub import fetched
from pages.parts.shared.reading import reading, turn
from pages.parts.shared.terms import caption
from pages.parts.shared.uploads import dropped, kept
from pages.parts.shared.ways import Way
from quantlib.datasets import LabelledPictures
from quantlib.datasets.apart import read_parquet_apart, read_parquet_file_apart
from quantlib.datasets.folders import DIGITS as DIGIT_CLASSES
from quantlib.datasets.folders import read_digits
from quantlib.datasets.labelled import CIFAR10_CLASSES
from quantlib.errors import QuantlibError
from quantlib.imaging.formats import FORMATS
from quantlib.importance.example import labelled_batches
from quantlib.models.catalogue import CLASSIFICATION
from quantlib.tasks.cifar10 import reference_to

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


def choose_data(waiting: DeltaGenerator) -> LabelledData:
    """The sidebar's data set; QuantlibError where it cannot be had.

    What is waited for is shown in the place `waiting`.
    """
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
        data = _uploaded(count, waiting)
    elif source == CIFAR10:
        with waiting:
            pictures, held = arrived(CIFAR10, "CIFAR-10", _bring_cifar10, DIGITS_INSTEAD)
        data = _cifar10(pictures, held, count)
    else:
        data = _digits(count)
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


def _choose_digits() -> None:
    st.session_state["data"] = DIGITS
    _choose_fitting_network()


DIGITS_INSTEAD = Way("Go on with the digits", ":material/pin:", _choose_digits)


@shared(megabytes=128)
def _digits(count: int) -> LabelledData:
    held = Calibration(DIGITS, labelled_batches(read_digits("train")[:CALIBRATION]))
    credit = "Optical recognition of handwritten digits, as scikit-learn brings it"
    return _data(DIGITS, credit, read_digits()[:count], held)


def _cifar10(pictures: LabelledPictures, held: Calibration, count: int) -> LabelledData:
    return _data(CIFAR10, "CIFAR-10 (Krizhevsky, 2009)", pictures[:count], held)


def _bring_cifar10(tell: Tell) -> tuple[LabelledPictures, Calibration]:
    test, train = (
        _bring_split(*one, tell) for one in (("test", COUNTS[-1]), ("train", CALIBRATION))
    )
    return test, Calibration(CIFAR10, labelled_batches(train))


def _bring_split(split: str, count: int, tell: Tell) -> LabelledPictures:
    path = fetched(reference_to(split), tell).path
    with turn(lambda: tell(1.0, "waiting to be read")):
        return read_parquet_file_apart(path, count, lambda said: tell(1.0, "reading what arrived"))


def _data(source: str, credit: str, pictures: LabelledPictures, held: Calibration) -> LabelledData:
    count = len(pictures)
    note = f"{credit}: {count:,} test pictures; calibrated on {CALIBRATION} others."
    return LabelledData(f"{source} {count}", source, source, pictures, held, CALIBRATION, note)


def _uploaded(count: int, waiting: DeltaGenerator) -> LabelledData:
    file = dropped(
        "Parquet file",
        ["parquet"],
        "parquet",
        MAX_MEGABYTES,
        help=f"In CIFAR-10's form: column img with {FORMATS} files, label with the numbers of "
        "ten classes.",
    )
    missing = "No pictures yet; drop a parquet file in the sidebar."
    name, content = kept("parquet", file, missing)
    with waiting:
        return _own(name, content, count)


@shared(megabytes=128)
def _own(name: str, content: bytes, count: int) -> LabelledData:
    with reading(name) as watch:
        found = read_parquet_apart(content, name, CALIBRATION + count, watch)
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
