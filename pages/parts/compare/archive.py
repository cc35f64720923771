"""All results as one file: a picture for each pane, and what each of them is."""

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

from pages.parts.compare.table import rows_of
from pages.parts.super_resolution.network_forms import name_for
from pages.parts.super_resolution.reproduce import provenance
from pages.parts.super_resolution.sidebar import Choices
from quantlib.evaluation.quality import CONVENTION
from quantlib.imaging.reading import png_bytes
from quantlib.ptq import Settings
from quantlib.tasks.super_resolution import Measurement

CARD = "card.json"


def archive(choices: Choices, found: dict[Settings, Measurement]) -> bytes:
    """A ZIP of PNG files and `card.json`, which says what each holds and how it was made."""
    rows = rows_of(found)
    names = [file_name(choices, settings) for settings in found]
    with zipfile.ZipFile(made := io.BytesIO(), "w") as held:
        for name, measurement in zip(names, found.values(), strict=True):
            held.writestr(name, png_bytes(measurement.rgb))
        held.writestr(CARD, json.dumps(_card(choices, found, names, rows), indent=2))
    return made.getvalue()


def file_name(choices: Choices, settings: Settings) -> str:
    """`photo-x2-dqa-n3m3r40.png`: picture, scale and settings in few letters."""
    title = re.sub(r"[^\w-]+", "-", Path(choices.subject.source).stem).strip("-") or "picture"
    return f"{title}-x{choices.network.scale}-{settings.letters}.png"


def _card(
    choices: Choices, found: dict[Settings, Measurement], names: list[str], rows: list[Any]
) -> dict[str, Any]:
    return {
        "picture": choices.subject.title,
        "convention": CONVENTION,
        "provenance": provenance(choices),
        "results": [
            {
                "file": name,
                "model": name_for(choices.network, settings),
                "settings": settings.flags(),
                **row,
            }
            for name, settings, row in zip(names, found, rows, strict=True)
        ],
    }
