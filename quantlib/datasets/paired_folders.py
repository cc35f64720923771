"""Pairs of high- and low-resolution files, matched by the names that benchmarks use."""

import re
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

from quantlib.errors import QuantlibError
from quantlib.imaging.folders import picture_files

# What a stem may end in, in any order: 0801x4, a_x2, img_SRF_2_HR, a_bicLRx2, a_LRBI_x2, a_LR4.
HIGH_END = re.compile(r"[_-](?:HR|GT)$", re.IGNORECASE)
LOW_END = re.compile(r"[_-](?:bicLR|bicubic|LRBI|LRBD|LRDN|LR|LQ)$", re.IGNORECASE)
SCALE_END = re.compile(r"(?:_SRF_(\d+)|[_-]?x(\d)[mdw]?|(?<=LR)(\d))$", re.IGNORECASE)


@dataclass(frozen=True)
class Name:
    """A picture's `key`, with the scale and the side ("HR" or "LR") that the file's name states."""

    key: str
    scale: int | None = None
    side: str | None = None


def picture_key(stem: str) -> str:
    """A file's stem without what benchmarks append for the scale and the side.

    >>> [picture_key(s) for s in ("babyx2", "img_001_SRF_2_LR", "img_001_GT", "a_bicLRx2", "baby")]
    ['baby', 'img_001', 'img_001', 'a', 'baby']
    """
    return readings(stem)[-1].key


def readings(stem: str) -> list[Name]:
    """What a stem may mean: itself, and with one ending after the other taken off."""
    found = [Name(normalize("NFC", stem))]
    while (shorter := _without_end(found[-1])) is not None:
        found.append(shorter)
    return found


def find_pairs(high: Path, low: Path, scale: int) -> list[tuple[str, Path, Path]]:
    """(name, high-resolution file, low-resolution file) of every picture in both folders.

    A folder with a folder X2 or x2 for each scale may be named in place of that.
    """
    originals = _originals(_at_scale(high, scale), scale)
    reductions = _reductions(_at_scale(low, scale), scale, originals)
    if not reductions:
        raise QuantlibError(
            f"No picture of {high} has its ×{scale} reduction in {low}; "
            "the files need the same names, a suffix such as x2 or _LR apart."
        )
    if missing := sorted(originals.keys() - reductions.keys()):
        raise QuantlibError(f"{missing[0]} of {high} has no reduction in {low}; add or remove it.")
    return [(name, originals[name], reductions[name]) for name in sorted(reductions)]


def _originals(folder: Path, scale: int) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in picture_files(folder):
        names = readings(path.stem)
        sides = {name.side for name in names}
        if "LR" in sides or ("HR" in sides and names[-1].scale not in (None, scale)):
            continue
        _put(found, names[-1].key if "HR" in sides else names[0].key, path)
    return found


def _reductions(folder: Path, scale: int, originals: dict[str, Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in picture_files(folder):
        names = [name for name in readings(path.stem) if name.key in originals]
        if names and names[0].side != "HR" and names[0].scale in (None, scale):
            _put(found, names[0].key, path)
    return found


def _put(found: dict[str, Path], key: str, path: Path) -> None:
    if key in found:
        raise QuantlibError(
            f"{found[key].name} and {path.name} in {path.parent} are both named {key}; remove one."
        )
    found[key] = path


def _at_scale(folder: Path, scale: int) -> Path:
    """The folder itself where it holds pictures, else the one inside it for that scale."""
    if picture_files(folder):
        return folder
    inside = (path for path in sorted(folder.iterdir()) if path.is_dir())
    return next((path for path in inside if path.name.lower() == f"x{scale}"), folder)


def _without_end(name: Name) -> Name | None:
    """One ending less, where there is one that the name has not stated yet."""
    if name.scale is None and (found := SCALE_END.search(name.key)):
        shorter = Name(
            name.key[: found.start()], int(next(filter(None, found.groups()))), name.side
        )
    elif name.side is None and (found := HIGH_END.search(name.key)):
        shorter = Name(name.key[: found.start()], name.scale, "HR")
    elif name.side is None and (found := LOW_END.search(name.key)):
        shorter = Name(name.key[: found.start()], name.scale, "LR")
    else:
        return None
    return shorter if shorter.key else None
