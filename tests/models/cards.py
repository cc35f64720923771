"""Measures every bundled network on its benchmarks again and holds it against its card.

    python -m tests.models.cards ../shared/data

Prints a row for each, and exits with 1 where a figure differs in the digits that the card gives.
"""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from quantlib.cli import main
from quantlib.models.catalogue import CatalogueEntry, card_of, every_bundled
from quantlib.tasks.task import SUPER_RESOLUTION, TASKS


class Row(NamedTuple):
    network: str
    benchmark: str
    card: str
    today: str

    @property
    def agrees(self) -> bool:
        return self.card == self.today


def rows(data: Path) -> Iterator[Row]:
    """What the card says and what `evaluate`, `classify` or `segment` says, as the card writes."""
    for entry in every_bundled():
        enlarges = entry.task == SUPER_RESOLUTION.name
        yield from _enlarging(entry, data) if enlarges else _recognising(entry, data)


def _enlarging(entry: CatalogueEntry, data: Path) -> Iterator[Row]:
    card = card_of(entry.name)
    assert card is not None
    folders = {
        "set5": (data / "set5/HR", data / f"set5/LR_bicubic/X{entry.scale}"),
        "set14": (data / f"set14/SRF_{entry.scale}",) * 2,
    }
    for benchmark, psnr in card.psnr_y.items():
        hr, lr = folders[benchmark]
        report = _said(
            SUPER_RESOLUTION.verb,
            *("--model", entry.name, "--scale", entry.scale, "--hr", hr, "--lr", lr),
        )
        yield Row(entry.name, benchmark, f"{psnr:.3f} dB", f"{report['psnr_y']:.3f} dB")


def _recognising(entry: CatalogueEntry, data: Path) -> Iterator[Row]:
    task, name = TASKS[entry.task], entry.name.rpartition("-")[2]
    source = name if name in task.named and not (data / name).is_dir() else data / name
    said = re.match(r"(?P<share>[\d.]+ %) .* on (?P<count>[\d,]+) ", entry.measured)
    assert said is not None
    report = _said(
        *(task.verb, "--model", entry.name, "--data", source, "--method", "fp32"),
        *("--limit", said["count"].replace(",", "")),
    )
    yield Row(entry.name, name, said["share"], f"{report[task.figure]:.2f} %")


def _said(*arguments: object) -> dict:
    with redirect_stdout(StringIO()) as printed:
        assert main([*map(str, arguments), "--json"]) == 0
    return json.loads(printed.getvalue())


if __name__ == "__main__":
    differ = 0
    for row in rows(Path(sys.argv[1])):
        print(*row, "" if row.agrees else "DIFFERS", sep="\t", flush=True)
        differ += not row.agrees
    sys.exit(differ > 0)
