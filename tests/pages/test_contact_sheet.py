"""The contact sheet: every pixel of a crop is a square of one colour, in PNG and in PDF."""

import io
import re

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from pages.parts.compare.sheet import (
    DPI,
    PANE,
    Cell,
    as_pdf,
    as_png,
    contact_sheet,
    factor_of,
    in_font,
)
from pages.parts.figures.crops import SIDE
from pages.parts.shared.samples import TITLES
from quantlib.evaluation.quality import CONVENTION
from quantlib.imaging.samples import SAMPLES
from quantlib.ptq.methods import METHODS

FACTS = ("32.78 dB", "SSIM 0.9100", "24 KiB", "0.25 s")


def cells(count: int, height: int = SIDE, width: int = SIDE) -> list[Cell]:
    rng = np.random.default_rng(0)
    return [
        Cell(rng.integers(0, 256, (height, width, 3), np.uint8), f"{number}-bit direct", FACTS)
        for number in range(count)
    ]


def found(sheet: np.ndarray, crop: np.ndarray) -> list[tuple[int, int]]:
    """Where the sheet holds the crop, each pixel a square, wherever that is."""
    factor = factor_of(crop)
    height, width = (factor * side for side in crop.shape[:2])
    large = np.kron(crop, np.ones((factor, factor, 1), np.uint8))
    row = np.ascontiguousarray(large[0])
    places = []
    for y in range(len(sheet) - height + 1):
        if (hits := np.flatnonzero((sheet[y] == row[0]).all(1))).size:
            places += [
                (x, y) for x in hits if np.array_equal(sheet[y : y + height, x : x + width], large)
            ]
    return places


@pytest.mark.parametrize("count", [1, 2, 6])
def test_every_pixel_is_a_square_and_no_pane_covers_another(count):
    some = cells(count)
    sheet = np.asarray(contact_sheet(some, "Cat", ["Conditions"]))
    places = [found(sheet, cell.rgb) for cell in some]
    assert all(len(one) == 1 for one in places)
    corners = [one[0] for one in places]
    assert len({x for x, _ in corners}) == min(3, count)
    assert len({y for _, y in corners}) == -(-count // 3)
    assert factor_of(some[0].rgb) == PANE // SIDE == 12


@pytest.mark.parametrize(("height", "width"), [(168, 168), (84, 84), (20, 31), (600, 500), (1, 1)])
def test_factors_are_whole_whatever_the_size(height, width):
    (one,) = cells(1, height, width)
    sheet = contact_sheet([one], "Cat", [])
    assert found(np.asarray(sheet), one.rgb)
    assert factor_of(one.rgb) == max(1, PANE // max(height, width))


def test_labels_and_conditions_are_written_and_long_ones_broken():
    plain = contact_sheet(cells(2), "Cat", [])
    told = contact_sheet(cells(2), "Cat", ["PSNR on Y", "http://x/" + "y" * 400])
    assert told.height > plain.height and told.width == plain.width
    below = np.asarray(told)[plain.height :]
    assert (below < 200).any()
    margin = np.asarray(told)[:, -20:]
    assert (margin == 255).all()


def drawn(letter: str) -> bytes:
    image = Image.new("L", (40, 40))
    ImageDraw.Draw(image).text((5, 5), letter, 255, ImageFont.load_default(20))
    return image.tobytes()


def test_no_letter_of_the_conditions_is_an_empty_box():
    said = [CONVENTION, *TITLES.values(), *(one.title for one in METHODS.values())]
    said += ["Crop: 84×84 of 256×256 pixels, at (102, 0).", *(s.credit for s in SAMPLES)]
    letters = set(in_font("".join(said))) - {" "}
    assert not {one for one in letters if drawn(one) == drawn("\uffff")}


def test_the_files_hold_the_same_pixels():
    sheet = contact_sheet(cells(3), "Cat", ["Conditions"])
    png = Image.open(io.BytesIO(as_png(sheet)))
    assert png.format == "PNG" and np.array_equal(np.asarray(png), np.asarray(sheet))
    pdf = as_pdf(sheet)
    assert pdf.startswith(b"%PDF-1.") and pdf.rstrip().endswith(b"%%EOF")
    box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", pdf)
    assert box is not None
    size = [float(side) * DPI / 72 for side in box.groups()]
    assert size == pytest.approx(sheet.size, abs=0.01)
    start = pdf.index(b"\x00\x00\x00\x0cjP  ")
    held = Image.open(io.BytesIO(pdf[start : pdf.index(b"endstream", start)]))
    assert np.array_equal(np.asarray(held.convert("RGB")), np.asarray(sheet))
