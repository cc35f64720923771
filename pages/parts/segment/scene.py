"""The picture whose pixels are named: a sample or an upload, perhaps with its annotation."""

import hashlib
from dataclasses import dataclass

import numpy as np

from pages.parts.shared.as_text import as_text
from pages.parts.shared.caching import shared
from pages.parts.shared.reading import reading
from pages.parts.shared.samples import TITLES, UPLOAD, choose_source, credit_of
from pages.parts.shared.terms import caption
from pages.parts.shared.uploads import NO_PICTURE, PICTURE_MEGABYTES, Upload, dropped, kept
from pages.parts.shared.worker import on_worker
from quantlib.datasets.apart import read_annotation_apart
from quantlib.errors import QuantlibError
from quantlib.imaging.apart import decode_apart
from quantlib.imaging.formats import ENDINGS, ENDINGS_OF, FORMATS
from quantlib.imaging.resizing import fit_area
from quantlib.imaging.samples import load_sample

AREA = 480 * 360
DEFAULT = "motorcycle"


@dataclass(frozen=True, eq=False)
class Scene:
    """`rgb` is `uint8 (H, W, 3)`; `annotation`, `uint8 (H, W)`, the class of every pixel or None.

    `source` is the key of a sample or of an upload; `key` stands for the pixels in caches.
    """

    key: str
    source: str
    title: str
    rgb: np.ndarray
    annotation: np.ndarray | None
    note: str


def choose_scene() -> Scene:
    """The sidebar's picture; QuantlibError where there is none yet or it cannot be read."""
    source = choose_source("scene", DEFAULT)
    scene = _uploaded() if source == UPLOAD else _sample(source)
    caption(as_text(scene.note))
    return scene


@shared(megabytes=32)
def _sample(key: str) -> Scene:
    return _made(key, TITLES[key], load_sample(key).rgb, None, credit_of(key))


def _uploaded() -> Scene:
    picture = dropped(FORMATS, ENDINGS, "scene_file", PICTURE_MEGABYTES)
    annotation = dropped(
        "Its annotation, if there is one",
        ENDINGS_OF["PNG"],
        "annotation",
        PICTURE_MEGABYTES,
        help="A grey or indexed PNG of the same size with the number of the class at every pixel; "
        "the number after the last class says that nothing is known.",
    )
    both = None if picture is None else (picture, annotation)
    return _own(*kept("scene_file", both, NO_PICTURE))


@shared(megabytes=64)
def _own(file: Upload, annotation: Upload | None) -> Scene:
    name, content = file
    with reading(name) as watch:
        picture = decode_apart(content, name, watch).picture
        numbers = None
        if annotation is not None:
            numbers = read_annotation_apart(annotation.content, watch)
    if numbers is not None and numbers.shape != picture.rgb.shape[:2]:
        raise QuantlibError(
            f"The annotation has {numbers.shape[1]}×{numbers.shape[0]} pixels and {name} has "
            f"{picture.rgb.shape[1]}×{picture.rgb.shape[0]}; choose the one of this picture."
        )
    return _made(UPLOAD, name, picture.rgb, numbers, "; ".join([name, *picture.notes]))


def _made(
    source: str, title: str, rgb: np.ndarray, annotation: np.ndarray | None, note: str
) -> Scene:
    small = on_worker(fit_area, rgb, AREA)
    if annotation is not None:
        annotation = _nearest(annotation, *small.shape[:2])
    size = f"{small.shape[1]}×{small.shape[0]} pixels"
    if small is not rgb:
        size += f", reduced from {rgb.shape[1]}×{rgb.shape[0]}"
    digest = hashlib.sha256(repr(small.shape).encode() + small.tobytes()).hexdigest()
    return Scene(digest, source, title, small, annotation, f"{size}. {note}")


def _nearest(labels: np.ndarray, height: int, width: int) -> np.ndarray:
    """The label in the middle of every pixel of a smaller picture."""
    rows = ((np.arange(height) + 0.5) * labels.shape[0] / height).astype(int)
    columns = ((np.arange(width) + 0.5) * labels.shape[1] / width).astype(int)
    return np.ascontiguousarray(labels[rows[:, None], columns])
