"""Pictures that a visitor has dropped: read once, and kept for the visitor's tab."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import streamlit as st

from pages.parts.shared.keeping import SECONDS
from pages.parts.shared.notices import NothingYetError
from pages.parts.shared.reading import reading
from pages.parts.shared.tab import TAB
from pages.parts.shared.uploads import NO_PICTURE, PICTURE_MEGABYTES, Upload, dropped
from quantlib.errors import QuantlibError
from quantlib.imaging.apart import decode_apart
from quantlib.imaging.formats import ENDINGS
from quantlib.imaging.reading import MAX_PIXELS, Picture

HELP = (
    f"Up to {MAX_PIXELS / 1e6:g} megapixels and {PICTURE_MEGABYTES} MB. It is kept for this tab "
    f"alone, also when the page is loaded anew, until {SECONDS / 60:.0f} minutes "
    "after its last use."
)


@dataclass(frozen=True, eq=False)
class OwnPicture:
    """A picture as it was read, with a small JPEG of it; `digest` stands for the file."""

    digest: str
    picture: Picture
    thumbnail: bytes

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        height, width = self.picture.rgb.shape[:2]
        return width, height


@dataclass(frozen=True, eq=False)
class Refused:
    """A file that is no such picture, and why, in one sentence."""

    digest: str
    why: str


def own_pictures(fields: Mapping[str, str]) -> list[OwnPicture]:
    """What lies in the upload fields, keys with labels, or lay there before the page was left.

    NothingYetError where something is missing, and a QuantlibError for what cannot be read.
    """
    for key, label in fields.items():
        file = dropped(
            label,
            ENDINGS,
            key,
            PICTURE_MEGABYTES,
            help=HELP,
            on_change=partial(_forget_removed, key),
        )
        if file is not None:
            _keep(key, file)
    TAB.remember()
    return [_kept(key, label, len(fields) > 1) for key, label in fields.items()]


def _forget_removed(key: str) -> None:
    if st.session_state[key] is None:
        TAB.drop(key)


def _keep(key: str, file: Upload) -> None:
    digest = hashlib.sha256(file.name.encode() + b"\0" + file.content).hexdigest()
    known = TAB.get(key)
    if known is None or known.digest != digest:
        made = _read(file, digest)
        pixels = made.picture.rgb.size // 3 if isinstance(made, OwnPicture) else 0
        TAB.put(key, made, 4 * pixels)


def _read(file: Upload, digest: str) -> OwnPicture | Refused:
    try:
        with reading(file.name) as watch:
            found = decode_apart(file.content, file.name, watch)
    except QuantlibError as error:
        return Refused(digest, str(error))
    return OwnPicture(digest, found.picture, found.thumbnail)


def _kept(key: str, label: str, one_of_two: bool) -> OwnPicture:
    match TAB.get(key):
        case OwnPicture() as found:
            return found
        case Refused(why=why):
            raise QuantlibError(why)
    raise NothingYetError(f"{label} is still to be dropped." if one_of_two else NO_PICTURE)
