"""Pairs of high- and low-resolution files, matched by name."""

import re
from pathlib import Path

from quantlib.errors import QuantlibError

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp"}


def picture_key(stem: str) -> str:
    """A file's stem without what benchmarks append for the scale and the side.

    >>> [picture_key(s) for s in ("babyx2", "img_001_SRF_2_LR", "img_001_SRF_2_HR", "baby")]
    ['baby', 'img_001', 'img_001', 'baby']
    """
    return re.sub(r"x\d$", "", _without_side(stem))


def find_pairs(high: Path, low: Path, scale: int) -> list[tuple[str, Path, Path]]:
    """(name, high-resolution file, low-resolution file) of every picture in both folders."""
    originals = {_without_side(p.stem): p for p in _files(high, "_LR")}
    reductions = {
        p.stem if p.stem in originals else picture_key(p.stem): p
        for p in _files(low, "_HR")
        if p.stem in originals or _stated_scale(p.stem) in (None, scale)
    }
    sides = [originals, reductions]
    names = sorted(originals.keys() & reductions.keys())
    if not names:
        raise QuantlibError(
            f"No picture of {high} has its ×{scale} reduction in {low}; "
            "the files need the same names, a suffix such as x2 or _LR apart."
        )
    missing = sorted(sides[0].keys() - sides[1].keys())
    if missing:
        raise QuantlibError(f"{missing[0]} of {high} has no reduction in {low}; add or remove it.")
    return [(name, sides[0][name], sides[1][name]) for name in names]


def _without_side(stem: str) -> str:
    return re.sub(r"(_SRF_\d+)?(_(HR|LR))?$", "", stem)


def _stated_scale(stem: str) -> int | None:
    match = re.search(r"_SRF_(\d+)(?:_(?:HR|LR))?$|x(\d)$", stem)
    return int(match[1] or match[2]) if match else None


def _files(folder: Path, other_side: str) -> list[Path]:
    files = (p for p in sorted(folder.iterdir()) if p.suffix.lower() in SUFFIXES)
    return [p for p in files if not p.stem.endswith(other_side)]
