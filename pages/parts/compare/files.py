"""What can be taken along: the table, the pictures, and the contact sheet."""

from collections.abc import Callable, Sequence
from datetime import date
from urllib.parse import urlencode

import streamlit as st
import torch
from PIL import Image

from pages.parts.compare.archive import archive
from pages.parts.compare.sheet import Cell, as_pdf, as_png, contact_sheet
from pages.parts.compare.table import Row, as_csv
from pages.parts.figures.crops import Crop
from pages.parts.super_resolution.panes import stem_of
from pages.parts.super_resolution.result import Result
from pages.parts.super_resolution.sidebar import Choices
from quantlib import __version__
from quantlib.evaluation.quality import CONVENTION


def show_files(
    choices: Choices, results: Sequence[Result], rows: Sequence[Row], crop: Crop
) -> None:
    """Four buttons; what they give is made when they are pressed."""
    stem = f"bitlens-compare-{stem_of(choices.subject, choices.network.scale)}"
    address = _address()

    def sheet() -> Image.Image:
        return _sheet(choices, results, crop, address)

    _offer("Table as CSV", lambda: as_csv(rows).encode(), f"{stem}.csv", "text/csv", "table")
    _offer(
        *("All results as ZIP", lambda: archive(choices, results)),
        *(f"{stem}.zip", "application/zip", "folder_zip"),
    )
    _offer("Contact sheet as PNG", lambda: as_png(sheet()), f"{stem}.png", "image/png", "image")
    _offer(
        *("Contact sheet as PDF", lambda: as_pdf(sheet())),
        *(f"{stem}.pdf", "application/pdf", "picture_as_pdf"),
    )


def _offer(label: str, make: Callable[[], bytes], name: str, kind: str, icon: str) -> None:
    st.download_button(
        label, make, name, kind, icon=f":material/{icon}:", on_click="ignore", width="stretch"
    )


def _address() -> str:
    """Where this comparison is seen again."""
    return f"{st.context.url or '/compare'}?{urlencode(dict(st.query_params), safe=':/,;=')}"


def _sheet(choices: Choices, results: Sequence[Result], crop: Crop, address: str) -> Image.Image:
    subject, scale = choices.subject, choices.network.scale
    cells = [Cell(crop.cut(one.made.rgb), one.title, one.pane.facts) for one in results]
    height, width = results[0].made.rgb.shape[:2]
    top, left, bottom, right = crop.box(height, width)
    networks = dict.fromkeys(result.network.name for result in results)
    return contact_sheet(
        cells,
        f"{subject.title}, enlarged {scale} times",
        [
            f"Crop: {right - left}×{bottom - top} of {width}×{height} pixels, at ({left}, {top}).",
            "; ".join(subject.notes),
            f"Networks: {', '.join(networks)}. Figures are of the whole picture; times are of "
            "passes that simulate few bits.",
            f"{CONVENTION}.",
            f"{date.today().isoformat()}, Bitlens {__version__}, PyTorch {torch.__version__}.",
            address,
        ],
    )
