"""The results as rows, for the eye and as CSV."""

import csv
import io

from quantlib.ptq import Settings
from quantlib.ptq.parameters import PARAMETERS
from quantlib.tasks.super_resolution import Measurement

Row = dict[str, str | float | None]


def title_of(settings: Settings) -> str:
    """What tells a result from the others beside it.

    >>> title_of(Settings("rlq", 2)), title_of(Settings("rlq", 2, depth="half"))
    ('2-bit RLQ', '2-bit RLQ, half depth')
    """
    full = settings.depth == PARAMETERS["depth"].default
    return settings.summary if full else f"{settings.summary}, {settings.depth} depth"


def rows_of(found: dict[Settings, Measurement]) -> list[Row]:
    """One row for each pane, in their order."""
    return [
        {
            "result": title_of(settings),
            "PSNR in dB": _rounded(made.psnr_y, 2),
            "SSIM": _rounded(made.ssim_y, 4),
            "bytes of activations": made.ledger.total.total,
            "bits per activation": round(made.ledger.bits_per_activation, 3),
            "seconds, simulated": round(made.seconds, 3),
        }
        for settings, made in found.items()
    ]


def as_csv(rows: list[Row]) -> str:
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
