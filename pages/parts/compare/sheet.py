"""The contact sheet: one crop of every result with its label, as one picture."""

import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

PANE = 504  # pixels, which 42, 84 and 168 divide
COLUMNS, GAP, MARGIN = 3, 28, 40
TITLE, NAME, SMALL = 34, 24, 20  # sizes of the letters
INK, QUIET = "#1c1e26", "#5a6072"
SIGNS = str.maketrans("×–−", "x--")
DPI = 144


@dataclass(frozen=True, eq=False)
class Cell:
    """A crop `uint8 (h, w, 3)` with its name and what is known of the whole result."""

    rgb: np.ndarray
    name: str
    facts: Sequence[str]


def contact_sheet(cells: Sequence[Cell], title: str, conditions: Sequence[str]) -> Image.Image:
    """One to six cells with the `title` above and the `conditions` below, on white.

    Every pixel of a crop becomes a square of whole size, `factor_of` pixels wide.
    """
    columns = min(COLUMNS, len(cells))
    width = 2 * MARGIN + columns * PANE + (columns - 1) * GAP
    room = width - 2 * MARGIN
    heads = _lines([title], TITLE, room)
    feet = _lines(conditions, SMALL, room)
    labels = [_label(cell) for cell in cells]
    rows = -(-len(cells) // columns)
    below = [max(map(len, labels[columns * r : columns * (r + 1)])) for r in range(rows)]
    tops, top = [], MARGIN + _height(TITLE) * len(heads) + GAP
    for lines in below:
        tops.append(top)
        top += _tall(cells) + _height(NAME) * lines + GAP
    sheet = Image.new("RGB", (width, top + _height(SMALL) * len(feet) + MARGIN), "white")
    draw = ImageDraw.Draw(sheet)
    _write(draw, (MARGIN, MARGIN), [(line, TITLE, INK) for line in heads])
    for number, (cell, label) in enumerate(zip(cells, labels, strict=True)):
        place = MARGIN + number % columns * (PANE + GAP), tops[number // columns]
        sheet.paste(_enlarged(cell.rgb), place)
        _write(draw, (place[0], place[1] + _tall(cells) + 8), label)
    _write(draw, (MARGIN, top), [(line, SMALL, QUIET) for line in feet])
    return sheet


def factor_of(rgb: np.ndarray) -> int:
    """How many pixels of the sheet a pixel of a crop is wide and high."""
    return max(1, PANE // max(rgb.shape[:2]))


def in_font(text: str) -> str:
    """`text` in the letters of Pillow's own font, which are those of ASCII.

    >>> in_font("Müller, 84×84, 猫")
    'Muller, 84x84, ?'
    """
    plain = unicodedata.normalize("NFKD", text.translate(SIGNS))
    letters = "".join(one for one in plain if not unicodedata.combining(one))
    return letters.encode("ascii", "replace").decode()


def as_png(sheet: Image.Image) -> bytes:
    sheet.save(made := io.BytesIO(), "PNG", dpi=(DPI, DPI))
    return made.getvalue()


def as_pdf(sheet: Image.Image) -> bytes:
    """One page. Pillow keeps every pixel of pictures with alpha only: the others become JPEG."""
    sheet.convert("RGBA").save(made := io.BytesIO(), "PDF", resolution=DPI)
    return made.getvalue()


def _enlarged(rgb: np.ndarray) -> Image.Image:
    factor = factor_of(rgb)
    return Image.fromarray(np.ascontiguousarray(rgb.repeat(factor, 0).repeat(factor, 1)))


def _tall(cells: Sequence[Cell]) -> int:
    return max(cell.rgb.shape[0] * factor_of(cell.rgb) for cell in cells)


Line = tuple[str, int, str]


def _label(cell: Cell) -> list[Line]:
    facts = _lines([", ".join(cell.facts)], SMALL, PANE)
    names = _lines([cell.name], NAME, PANE)
    return [*((one, NAME, INK) for one in names), *((one, SMALL, QUIET) for one in facts)]


def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


def _height(size: int) -> int:
    return round(1.4 * size)


def _lines(texts: Sequence[str], size: int, width: int) -> list[str]:
    """The texts in lines of at most `width` pixels; a word that is longer is broken."""
    font, lines = _font(size), []
    for text in texts:
        line = ""
        for word in in_font(text).split():
            if line and font.getlength(f"{line} {word}") <= width:
                line = f"{line} {word}"
                continue
            lines += [line] if line else []
            while font.getlength(word) > width:
                most = next(n for n in range(len(word), 0, -1) if font.getlength(word[:n]) <= width)
                lines.append(word[:most])
                word = word[most:]
            line = word
        lines += [line] if line else []
    return lines


def _write(draw: ImageDraw.ImageDraw, place: tuple[int, int], lines: Sequence[Line]) -> None:
    x, y = place
    for text, size, colour in lines:
        draw.text((x, y), text, fill=colour, font=_font(size))
        y += _height(size)
