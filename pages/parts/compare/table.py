"""The results as rows, for the eye and as CSV."""

import csv
import io
from collections.abc import Iterable, Sequence

import streamlit as st

from pages.parts.super_resolution.result import Result
from quantlib.evaluation.perceptual import BACKBONES, MISSING, backbone
from quantlib.evaluation.quality import CONVENTION

COLUMNS = {  # as the eye reads them; the file has the plain names and numbers
    "result": st.column_config.TextColumn(width="medium", pinned=True),
    "bytes of activations": st.column_config.NumberColumn("bytes", format="localized"),
    "bits per activation": "bits each",
    "seconds, simulated": "seconds",
}
Cell = str | float | None
Row = dict[str, Cell]


def rows_of(results: Iterable[Result]) -> list[Row]:
    """One row for each pane, in their order."""
    return [_row(result) for result in results]


def _row(result: Result) -> Row:
    made, name = result.made, backbone()
    row: Row = {
        "result": result.title,
        "PSNR in dB": _rounded(made.psnr_y, 2),
        "SSIM": _rounded(made.ssim_y, 4),
        "PSNR of RGB in dB": _rounded(made.psnr_rgb, 2),
    }
    if name is not None:
        row[f"LPIPS ({BACKBONES[name].title})"] = _rounded(made.lpips, 4)
    return row | {
        "bytes of activations": made.ledger.total.total,
        "bits per activation": round(made.ledger.bits_per_activation, 3),
        "seconds, simulated": round(made.seconds, 3),
    }


def measures() -> str:
    """What the columns mean, and which measure is missing."""
    perceptual = "LPIPS: less is nearer, border left out too." if backbone() else MISSING
    return (
        f"{CONVENTION}; PSNR of RGB over all three channels, the same border left out. "
        f"{perceptual} Times are of passes that simulate few bits in floating point: they say "
        "nothing of speed."
    )


def as_csv(rows: Sequence[Row]) -> str:
    """The rows as comma-separated values (RFC 4180).

    >>> as_csv([{"result": "FP32", "SSIM": None}]).split()
    ['result,SSIM', 'FP32,']
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
