"""The picture that a visitor looks at: a sample, or an upload kept for the session."""

import hashlib
from dataclasses import dataclass

import numpy as np
import streamlit as st

from pages.parts.figures.region import Region
from pages.parts.shared.caching import shared
from pages.parts.shared.samples import TITLES, UPLOAD, choose_source, credit_of
from pages.parts.shared.worker import on_worker
from pages.parts.super_resolution.own_pictures import OwnPicture, own_pictures
from pages.parts.super_resolution.region_choice import choose_region
from quantlib.errors import QuantlibError
from quantlib.imaging.formats import FORMATS
from quantlib.imaging.opacity import visible
from quantlib.imaging.reading import Picture
from quantlib.imaging.resizing import upscale
from quantlib.imaging.tensors import to_tensor, to_uint8
from quantlib.tasks.super_resolution import check_pair, reduced, sample_for

TRUTH, INPUT, PAIR = "truth", "input", "pair"
FIELDS = {  # by the role, the upload fields and their labels
    TRUTH: {"upload": FORMATS},
    INPUT: {"upload": FORMATS},
    PAIR: {"upload": "The input", "original": "Its truth"},
}


@dataclass(frozen=True, eq=False)
class Whole:
    """A visitor's picture, all of it; `reduced` where a reduction of it goes into the network.

    `digest` stands for the file.
    """

    digest: str
    picture: Picture
    reduced: bool


@dataclass(frozen=True)
class Subject:
    """What goes into the network, `uint8 (h, w, 3)`, and the truth if it is known.

    `digest` stands for the pixels in caches; `source` is the sample's key or the upload's name.
    Of an upload they are the region that is looked at, and `whole` is all of it.
    """

    digest: str
    source: str
    title: str
    low: np.ndarray
    truth: np.ndarray | None
    notes: tuple[str, ...] = ()
    whole: Whole | None = None

    @property
    def is_pair(self) -> bool:
        """Whether input and truth came in files of their own."""
        return self.truth is not None and self.whole is not None and not self.whole.reduced

    @property
    def is_sample(self) -> bool:
        return self.whole is None

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Subject) and other.digest == self.digest


def choose_picture() -> str:
    """The picture's key; an upload is asked for where it is chosen."""
    return choose_source("picture")


def subject(key: str, scale: int) -> Subject:
    """The chosen picture prepared for a network that enlarges by `scale`."""
    if key == UPLOAD:
        return _uploaded(scale)
    if key not in TITLES:
        raise QuantlibError(f"There is no picture {key!r}; choose one in the sidebar.")
    return _sample(key, scale)


@shared(megabytes=32)
def _sample(key: str, scale: int) -> Subject:
    low, truth = on_worker(reduced, sample_for(key, scale), scale)
    return Subject(_digest(low, truth), key, TITLES[key], low, truth, (credit_of(key),))


def _uploaded(scale: int) -> Subject:
    role = st.segmented_control(
        "Use it as",
        list(FIELDS),
        default=TRUTH,
        required=True,
        key="role",
        bind="query-params",
        help="As the truth it is reduced first, so that PSNR and SSIM can be measured; as the "
        "input it is enlarged as it is; a pair is an input with its truth, a file each.",
    )
    own, *originals = own_pictures(FIELDS[role])
    if originals:
        return _pair(own, originals[0], scale)
    as_truth = role == TRUTH
    region = choose_region(own, own.size, scale if as_truth else 1)
    rgb = _seen(own.picture, region)
    low, truth = on_worker(reduced, rgb, scale) if as_truth else (rgb, None)
    return _subject(own, region, low, truth, Whole(own.digest, own.picture, as_truth))


def _pair(own: OwnPicture, original: OwnPicture, scale: int) -> Subject:
    low, truth = own.picture, original.picture
    check_pair(tuple(scale * side for side in low.rgb.shape[:2]), truth.rgb.shape[:2], scale)
    width, height = own.size
    both = min(width, original.size[0] // scale), min(height, original.size[1] // scale)
    if not all(both):
        raise QuantlibError(f"{truth.name} is smaller than a pixel of {low.name}; drop another.")
    region = choose_region(own, both, 1)
    there = region.times(scale).cut(truth.rgb)
    return _subject(own, region, _seen(low, region), there, Whole(own.digest, low, reduced=False))


def _seen(picture: Picture, region: Region) -> np.ndarray:
    """The colours of a region; under full transparency, those of the nearest pixel."""
    alpha = None if picture.alpha is None else region.cut(picture.alpha)
    return visible(region.cut(picture.rgb), alpha)


def _subject(
    own: OwnPicture, region: Region, low: np.ndarray, truth: np.ndarray | None, whole: Whole
) -> Subject:
    width, height = own.size
    notes = list(own.picture.notes)
    if (region.width, region.height) != own.size:
        notes.append(f"{region.width}×{region.height} of {width}×{height} pixels")
    name = own.picture.name
    return Subject(_digest(low, truth), name, name, low, truth, tuple(notes), whole)


def _digest(low: np.ndarray, truth: np.ndarray | None) -> str:
    digest = hashlib.sha256(repr(low.shape).encode())
    digest.update(low.tobytes())
    digest.update(truth.tobytes() if truth is not None else b"")
    return digest.hexdigest()


def bicubic(subject: Subject, scale: int) -> np.ndarray:
    """The bicubic enlargement of the input, `uint8`."""
    return _bicubic(subject, scale)


@shared(megabytes=64)
def _bicubic(subject: Subject, scale: int) -> np.ndarray:
    return on_worker(lambda: to_uint8(upscale(to_tensor(subject.low), scale)))
