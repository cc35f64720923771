"""Pictures through a classifier: which answers change when its activations get few bits."""

import numpy as np
import streamlit as st

from pages.parts.classify.classifying import batch_of, classified
from pages.parts.classify.picture_grid import Called, show_grid
from pages.parts.classify.pictures import (
    CIFAR10,
    LabelledData,
    choose_data,
    expected_classes,
)
from pages.parts.classify.published_beside import show_published_beside
from pages.parts.classify.reproduce import command, python_lines
from pages.parts.recognition.class_changes import show_class_changes, show_class_table
from pages.parts.recognition.networks import Recogniser, choose_recogniser, show_nothing_bundled
from pages.parts.recognition.settings import choose_settings, compared, show_ledgers
from pages.parts.shared.notices import body
from pages.parts.shared.reproduce import show_code
from pages.parts.shared.row import PICTURES, row
from pages.parts.shared.sizes import size_of
from pages.parts.shared.start import start_page
from pages.parts.shared.terms import caption
from quantlib.models.catalogue import CLASSIFICATION
from quantlib.ptq import Settings
from quantlib.tasks.classification import Classification

start_page(
    "Classify",
    "DQA's own task: pictures through a classifier whose activations have few bits. See which "
    "answers change.",
)


def show(data: LabelledData, network: Recogniser, settings: Settings) -> None:
    found = classified(data, network, compared(settings))
    full, result = found[Settings("fp32")], found[settings]
    st.subheader(sentence(settings, full, result), anchor=False)
    pictures, numbers = row(2, "answers", PICTURES)
    with pictures:
        st.markdown("**Which answers change**")
        show_grid(called(data, full, result))
    with numbers:
        st.markdown("**What each class loses**")
        show_class_changes(full.per_class, result.per_class, "accuracy")
        ledgers = {one: made.ledger for one, made in found.items()}
        show_ledgers(ledgers, {one: f"{m.accuracy:.2f} % right" for one, m in found.items()})
    labels = np.bincount(data.pictures.labels, minlength=len(result.classes))
    counts = {name: int(n) for name, n in zip(result.classes, labels, strict=True)}
    show_class_table(full.per_class, result.per_class, counts, "pictures")
    if data.source == CIFAR10:
        accuracies = {one: made.accuracy for one, made in found.items()}
        show_published_beside(network.network.architecture, "CIFAR-10", settings, accuracies)
    show_code(command(data, network, settings), python_lines(data, network, settings))
    caption(
        f"Top-1 accuracy, measured here on {len(result.labels):,} pictures; the "
        f"{min(batch_of(data.pictures), len(data.pictures)):,} of a batch share one scale per "
        "channel. The quantized pass is simulated in floating point; every "
        "size is the length of bytes that decode to the same activations."
    )


def sentence(settings: Settings, full: Classification, result: Classification) -> str:
    """What was measured, in one sentence."""
    if not settings.entry.quantizes:
        kib = full.ledger.total.total / 1024
        return f"FP32 names {full.accuracy:.2f} % right and moves {kib:,.0f} KiB of activations."
    changed = int((full.predicted != result.predicted).sum())
    return (
        f"{settings.summary} names {result.accuracy:.2f} % right where FP32 names "
        f"{full.accuracy:.2f} %, and changes {changed:,} of {len(result.labels):,} answers, at "
        f"{size_of(result.ledger)}."
    )


def called(data: LabelledData, full: Classification, result: Classification) -> list[Called]:
    names = result.classes
    return [
        Called(rgb, names[label], names[before], names[after])
        for rgb, label, before, after in zip(
            data.pictures.rgb, result.labels, full.predicted, result.predicted, strict=True
        )
    ]


with body():
    waiting = st.container()
    with st.sidebar:
        network = choose_recogniser(CLASSIFICATION, waiting, expected_classes())
        data = choose_data(waiting)
        settings = choose_settings("labelled pictures that are not shown")
    if network is None:
        show_nothing_bundled(CLASSIFICATION)
    else:
        show(data, network, settings)
