"""The class of every pixel: what a segmentation network says with few bits."""

import streamlit as st

from pages.parts.recognition.class_changes import show_class_changes, show_class_table
from pages.parts.recognition.networks import Recogniser, choose_recogniser, show_nothing_bundled
from pages.parts.recognition.settings import choose_settings, compared, show_ledgers
from pages.parts.segment.agreement import show_agreement, show_agreement_in_numbers
from pages.parts.segment.overlays import show_overlays
from pages.parts.segment.reproduce import python_lines
from pages.parts.segment.scene import Scene, choose_scene
from pages.parts.segment.segmenting import CALIBRATION_SIDE, classes_of, segmented
from pages.parts.shared.notices import body
from pages.parts.shared.reproduce import show_code
from pages.parts.shared.sizes import size_of
from pages.parts.shared.start import start_page
from pages.parts.shared.terms import caption
from quantlib.datasets.annotated import AnnotatedPictures
from quantlib.evaluation.iou import Confusion
from quantlib.models.catalogue import SEGMENTATION
from quantlib.ptq import Settings
from quantlib.tasks.segmentation import Segmentation

start_page(
    "Segment",
    "A network that names the class of every pixel, in full precision and with few bits. See "
    "where the two differ.",
)


def show(scene: Scene, network: Recogniser, settings: Settings) -> None:
    classes = classes_of(network)
    truth = annotated(scene, classes)
    found = segmented(scene, network, compared(settings))
    full, result = found[Settings("fp32")], found[settings]
    scores = None if truth is None else [confusion(one, truth) for one in (full, result)]
    st.subheader(sentence(settings, result, scores), anchor=False)
    show_overlays(scene, settings, full.predicted[0], result.predicted[0], classes)
    kept, saved = st.columns(2, gap="medium", border=True)
    with kept:
        if scores is None:
            show_agreement(result)
        else:
            show_classes(*scores)
    with saved:
        show_ledgers(
            {one: made.ledger for one, made in found.items()},
            {one: quality(made, truth) for one, made in found.items()},
        )
    if scores is None:
        show_agreement_in_numbers(result)
    else:
        full_iou, result_iou = (one.per_class for one in scores)
        show_class_table(full_iou, result_iou, scores[0].pixels, "pixels")
    show_code(None, python_lines(scene, network, settings, classes))
    caption(
        "IoU of a class: pixels that both call so, over pixels that either calls so. Channels are "
        f"ranked on {CALIBRATION_SIDE}×{CALIBRATION_SIDE} crops of sample photographs other than "
        "the one shown, with FP32's own classes as labels. The quantized pass is simulated in "
        "floating point; every size is the length of bytes that decode to the same activations."
    )


def annotated(scene: Scene, classes: tuple[str, ...]) -> AnnotatedPictures | None:
    """The picture with its annotation; QuantlibError where that belongs to other classes."""
    if scene.annotation is None:
        return None
    return AnnotatedPictures(scene.rgb[None], scene.annotation[None], classes)


def confusion(made: Segmentation, truth: AnnotatedPictures) -> Confusion:
    return Confusion.of(made.predicted, truth.labels, truth.classes)


def sentence(settings: Settings, result: Segmentation, scores: list[Confusion] | None) -> str:
    """What was measured, in one sentence."""
    if not settings.entry.quantizes:
        quality = "" if scores is None else f" reaches {scores[0].mean_iou:.2f} % mean IoU and"
        return f"FP32{quality} moves {result.ledger.total.total / 1024:,.0f} KiB of activations."
    size = size_of(result.ledger)
    if scores is not None:
        return (
            f"{settings.summary} keeps {scores[1].mean_iou:.2f} of {scores[0].mean_iou:.2f} % "
            f"mean IoU at {size}."
        )
    return (
        f"{settings.summary} agrees with FP32 on {result.confusion.pixel_accuracy:.2f} % of the "
        f"pixels at {size}."
    )


def quality(made: Segmentation, truth: AnnotatedPictures | None) -> str:
    """Mean IoU with the annotation, else agreement with FP32, in words."""
    if truth is not None:
        return f"{confusion(made, truth).mean_iou:.2f} % mean IoU"
    return f"agrees on {made.confusion.pixel_accuracy:.2f} % of the pixels"


def show_classes(full: Confusion, result: Confusion) -> None:
    """IoU of both networks with the annotation."""
    st.markdown("**What each class loses**")
    show_class_changes(full.per_class, result.per_class, "IoU")
    caption(
        f"Against the uploaded annotation; pixels right: FP32 {full.pixel_accuracy:.2f} %, "
        f"quantized {result.pixel_accuracy:.2f} %."
    )


with body():
    waiting = st.container()
    with st.sidebar:
        scene = choose_scene()
        network = choose_recogniser(SEGMENTATION, waiting)
        settings = choose_settings("crops of sample photographs")
    if network is None:
        show_nothing_bundled(SEGMENTATION)
    else:
        show(scene, network, settings)
