"""TIFF 6.0 and BigTIFF pictures, by the directory that describes the first of them."""

import struct

from quantlib.imaging.containers.directory import SIGNATURES, Directories
from quantlib.imaging.containers.parts import Parts, RefusedError, at_most

WIDTH, HEIGHT, BITS, COMPRESSION, WHITE_IS_ZERO, ORIENTATION = 256, 257, 258, 259, 262, 274
STRIPS, ROWS_PER_STRIP, TILE_WIDTH, TILE_HEIGHT, TILES, PROFILE = 273, 278, 322, 323, 324, 34675
NUMBERS = {WIDTH, HEIGHT, BITS, COMPRESSION, WHITE_IS_ZERO}
NUMBERS |= {ROWS_PER_STRIP, TILE_WIDTH, TILE_HEIGHT}
# What a decoder needs: sizes, kinds, places, tables and predictors, nothing about the picture.
PIXELS = NUMBERS | {266, STRIPS, 277, 279, 284, 292, 293, 317, 320, TILES, 325, 332}
PIXELS |= {338, 339, 347, 529, 530, 531, 532}
JPEG = 7
COMPRESSIONS = {1, 2, 3, 4, 5, JPEG, 8, 32773, 32946}
UNKNOWN_TO_PILLOW = b"MM\0+"  # BigTIFF with its high bytes first
MAX_FRAMES, MAX_STRIPS = 1_000, 50_000

__all__ = ["SIGNATURES", "taken_apart"]


def taken_apart(data: bytes) -> Parts:
    """Of several pictures the first."""
    if data.startswith(UNKNOWN_TO_PILLOW):
        raise RefusedError("is a TIFF of an unusual kind; save it as a PNG.")
    file = Directories(data)
    entries = file.entries(file.first)
    numbers = {tag: file.numbers(entries[tag]) for tag in entries.keys() & NUMBERS}
    width, height = numbers[WIDTH][0], numbers[HEIGHT][0]
    compression = numbers.get(COMPRESSION, (1,))[0]
    if compression not in COMPRESSIONS:
        raise RefusedError("is a TIFF compressed in an unusual way; save it as a PNG.")
    for tag in entries.keys() & {STRIPS, TILES}:
        at_most(entries[tag].count, MAX_STRIPS, "strips or tiles")
    tile = numbers.get(TILE_WIDTH, (0,))[0] * numbers.get(TILE_HEIGHT, (0,))[0]
    strip = width * min(height, numbers.get(ROWS_PER_STRIP, (height,))[0])
    scans = data.count(b"\xff\xda") if compression == JPEG else 0
    notes, profile = [], None
    orientation = 1
    try:
        if ORIENTATION in entries:
            orientation = file.numbers(entries[ORIENTATION])[0]
        if PROFILE in entries:
            profile = file.content(entries[PROFILE])
    except (KeyError, struct.error):
        notes.append("damaged metadata ignored")
    depth = max(numbers.get(BITS, (1,)))
    return Parts(
        "TIFF",
        file.alone({tag: entries[tag] for tag in entries.keys() & PIXELS}),
        width,
        height,
        depth,
        inverted=depth > 8 and numbers.get(WHITE_IS_ZERO) == (0,),
        passes=max(1, scans * (tile or strip) // max(1, width * height)),
        largest=tile,
        frames=_frames(file),
        orientation=orientation,
        profile=profile,
        notes=tuple(notes),
    )


def _frames(file: Directories) -> int:
    """How many directories follow one another, up to a lost end or one that was there before."""
    seen, at = set(), file.first
    try:
        while at and at not in seen:
            seen.add(at)
            at_most(len(seen), MAX_FRAMES, "frames")
            at = file.next(at)
    except struct.error:
        pass
    return max(1, len(seen))
