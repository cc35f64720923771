"""Files that a visitor drops, kept for the visit: their widget forgets them on another page."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import streamlit as st

from pages.parts.shared.notices import NothingYetError
from quantlib.errors import QuantlibError

T = TypeVar("T")
PICTURE_MEGABYTES = 100  # uncompressed, 24 megapixels take as many, transparency included
NO_PICTURE = "No picture yet; drop one in the sidebar or choose a sample."


class Upload(NamedTuple):
    """A dropped file; `name`, without folders, is for people only."""

    name: str
    content: bytes


def dropped(
    label: str,
    kinds: Sequence[str],
    key: str,
    megabytes: int | None = None,
    help: str = "",
    on_change: Callable[[], None] | None = None,
) -> Upload | None:
    """The file of one of these `kinds` that lies in the widget `key` now.

    QuantlibError where it has more than `megabytes`.
    """
    file = st.file_uploader(
        label,
        type=list(kinds),
        key=key,
        max_upload_size=megabytes,
        help=help or None,
        on_change=on_change,
    )
    if file is None:
        return None
    name, size = Path(file.name).name, file.size / 2**20
    if megabytes is not None and size > megabytes:  # the server's own limit is that of all fields
        raise QuantlibError(f"{name} has {size:,.0f} MB; choose a file of {megabytes} MB or less.")
    return Upload(name, file.getvalue())


def kept(key: str, latest: T | None, missing: str) -> T:
    """`latest`, or what was dropped before; NothingYetError that says `missing` where nothing was.

    `key` is the widget's.
    """
    place = f"kept {key}"
    if latest is not None:
        st.session_state[place] = latest
    if place not in st.session_state:
        raise NothingYetError(missing)
    return st.session_state[place]
