"""The picture that a visitor looks at: a sample, or an upload kept for the session."""

import hashlib
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
import streamlit as st

from pages.parts.shared.caching import HashFuncs
from pages.parts.shared.samples import TITLES, UPLOAD, choose_source, credit_of
from pages.parts.shared.uploads import NO_PICTURE, dropped, kept
from pages.parts.shared.worker import on_worker
from quantlib.errors import QuantlibError
from quantlib.imaging.formats import ENDINGS, FORMATS
from quantlib.imaging.reading import Picture, read_picture
from quantlib.imaging.resizing import upscale
from quantlib.imaging.tensors import to_tensor, to_uint8
from quantlib.tasks.super_resolution import INPUT_SIDE, reduced, sample_for

MAX_MEGABYTES = 10


@dataclass(frozen=True)
class Subject:
    """What goes into the network, `uint8 (h, w, 3)`, and the truth if it is known.

    `digest` stands for the pixels in caches; `source` is the sample's key or the upload's name.
    """

    digest: str
    source: str
    title: str
    low: np.ndarray
    truth: np.ndarray | None
    notes: tuple[str, ...] = ()

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Subject) and other.digest == self.digest


BY_DIGEST: HashFuncs = {Subject: attrgetter("digest")}


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


@st.cache_resource(max_entries=32, show_spinner=False)
def _sample(key: str, scale: int) -> Subject:
    low, truth = on_worker(reduced, sample_for(key, scale), scale)
    return Subject(_digest(low, truth), key, TITLES[key], low, truth, (credit_of(key),))


def _uploaded(scale: int) -> Subject:
    file = dropped(FORMATS, ENDINGS, "upload", MAX_MEGABYTES)
    role = st.segmented_control(
        "Use it as",
        ["truth", "input"],
        default="truth",
        required=True,
        key="role",
        bind="query-params",
        help="As the truth it is reduced first, so that PSNR and SSIM can be measured; "
        "as the input it is enlarged as it is.",
    )
    name, content = kept("upload", file, NO_PICTURE)
    picture = _read(content, name)
    return _prepared(picture, scale, role == "truth")


@st.cache_resource(max_entries=8, show_spinner=False)
def _read(content: bytes, name: str) -> Picture:
    return read_picture(content, name)


def _prepared(picture: Picture, scale: int, as_truth: bool) -> Subject:
    side = 2 * INPUT_SIDE * (scale if as_truth else 1)
    rgb, notes = picture.rgb, list(picture.notes)
    height, width = rgb.shape[:2]
    if max(height, width) > side:
        top, left = max(0, (height - side) // 2), max(0, (width - side) // 2)
        rgb = np.ascontiguousarray(rgb[top : top + side, left : left + side])
        notes.append(f"the middle {rgb.shape[1]}×{rgb.shape[0]} of {width}×{height} pixels")
    low, truth = on_worker(reduced, rgb, scale) if as_truth else (rgb, None)
    return Subject(_digest(low, truth), picture.name, picture.name, low, truth, tuple(notes))


def _digest(low: np.ndarray, truth: np.ndarray | None) -> str:
    digest = hashlib.sha256(repr(low.shape).encode())
    digest.update(low.tobytes())
    digest.update(truth.tobytes() if truth is not None else b"")
    return digest.hexdigest()


def bicubic(subject: Subject, scale: int) -> np.ndarray:
    """The bicubic enlargement of the input, `uint8`."""
    return _bicubic(subject, scale)


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs=BY_DIGEST)
def _bicubic(subject: Subject, scale: int) -> np.ndarray:
    return on_worker(lambda: to_uint8(upscale(to_tensor(subject.low), scale)))
