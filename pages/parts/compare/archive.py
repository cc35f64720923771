"""All results as one file: a picture for each pane, and what each of them is."""

import io
import json
import math
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pages.parts.compare.table import Cell, rows_of
from pages.parts.super_resolution.network_forms import name_for
from pages.parts.super_resolution.panes import png_of, stem_of
from pages.parts.super_resolution.reproduce import provenance
from pages.parts.super_resolution.result import Result
from pages.parts.super_resolution.sidebar import Choices
from quantlib.evaluation.quality import CONVENTION

CARD = "card.json"


def archive(choices: Choices, results: Sequence[Result]) -> bytes:
    """A ZIP of PNG files and `card.json`, which says what each holds and how it was made."""
    names = file_names(choices, results)
    with zipfile.ZipFile(made := io.BytesIO(), "w") as held:
        for name, result in zip(names, results, strict=True):
            held.writestr(name, png_of(result.made))
        held.writestr(CARD, json.dumps(_card(choices, results, names), indent=2))
    return made.getvalue()


def file_names(choices: Choices, results: Sequence[Result]) -> list[str]:
    """`photo-x2-dqa-n3m3r40.png`: picture, scale and settings in few letters.

    Where there are several networks, each name begins with the number of its column.
    """
    stem = stem_of(choices.subject, choices.network.scale)
    several = len({result.network.name for result in results}) > 1
    return [
        f"{f'{number}-' if several else ''}{stem}-{result.settings.letters}.png"
        for number, result in enumerate(results, 1)
    ]


def _card(choices: Choices, results: Sequence[Result], names: Sequence[str]) -> dict[str, Any]:
    return {
        "picture": choices.subject.title,
        "convention": CONVENTION,
        "results": [
            {
                "file": name,
                "model": name_for(result.network, result.settings),
                "settings": result.settings.flags(),
                **{name: _finite(value) for name, value in row.items()},
                "provenance": provenance(
                    replace(choices, network=result.network, settings=result.settings)
                ),
            }
            for name, result, row in zip(names, results, rows_of(results), strict=True)
        ],
    }


def _finite(value: Cell) -> Cell:
    """JSON has no infinite PSNR and no SSIM that is not a number."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
