import struct
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import interpolate

from quantlib.imaging.opacity import enlarged, enlarged_rows, visible
from quantlib.imaging.reading import read_picture
from tests.imaging.picture_files import raw_png, saved


def grey_rows(depth: int, values: list[int]) -> bytes:
    bits = "".join(f"{value:0{depth}b}" for value in values)
    bits += "0" * (-len(bits) % 8)
    return b"\0" + bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_every_value_of_grey_can_be_the_transparent_one(depth):
    most = 2**depth - 1
    values = sorted({0, 1, most // 2, most // 3, most})
    for key in values:
        rows = grey_rows(depth, values)
        picture = read_picture(raw_png(len(values), 1, depth, 0, rows, struct.pack(">H", key)))
        assert picture.alpha is not None
        assert picture.alpha[0].tolist() == [0 if value == key else 255 for value in values]
        reduced = [value >> 8 if depth == 16 else value * 255 // most for value in values]
        assert picture.rgb[0, :, 0].tolist() == reduced
        assert picture.notes[-1] == "transparency kept apart"


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_only_the_bits_of_the_depth_count(depth):
    most = 2**depth - 1
    key = struct.pack(">H", 0xFF00 | most)
    picture = read_picture(raw_png(2, 1, depth, 0, grey_rows(depth, [0, most]), key))
    assert picture.alpha is not None and picture.alpha.tolist() == [[255, 0]]


def test_all_16_bits_of_each_colour_count():
    colours = [(0x1234, 0x5678, 0x9ABC), (0x12FF, 0x5678, 0x9ABC), (0x1234, 0x5678, 0x9A00)]
    rows = b"\0" + b"".join(struct.pack(">3H", *colour) for colour in colours)
    for at, colour in enumerate(colours):
        picture = read_picture(raw_png(3, 1, 16, 2, rows, struct.pack(">3H", *colour)))
        assert picture.alpha is not None
        assert picture.alpha[0].tolist() == [0 if n == at else 255 for n in range(3)]
        assert picture.rgb[0].tolist() == [[v >> 8 for v in each] for each in colours]


def test_8_bits_of_each_colour():
    rgb = np.random.default_rng(1).integers(0, 3, (7, 9, 3)).astype(np.uint8)
    picture = read_picture(saved(Image.fromarray(rgb), transparency=(1, 2, 0)))
    np.testing.assert_array_equal(picture.alpha == 0, (rgb == (1, 2, 0)).all(-1))
    np.testing.assert_array_equal(picture.rgb, rgb)


def test_a_key_that_no_pixel_has():
    picture = read_picture(raw_png(2, 1, 2, 0, grey_rows(2, [0, 3]), struct.pack(">H", 1)))
    assert picture.alpha is None
    assert picture.notes[-1] == "opaque alpha channel left out"


def test_a_key_turns_with_its_picture():
    exif = Image.Exif()
    exif[0x0112] = 6
    grey = Image.fromarray(np.array([[5, 6, 7]], np.uint8))
    picture = read_picture(saved(grey, transparency=5, exif=exif))
    assert picture.alpha is not None
    assert picture.alpha.tolist() == [[0], [255], [255]]


def test_what_was_never_seen_takes_the_nearest_colour_that_was():
    random = np.random.default_rng(2)
    rgb = random.integers(0, 256, (20, 30, 3)).astype(np.uint8)
    alpha = random.choice([0, 1, 255], (20, 30), p=[0.8, 0.1, 0.1]).astype(np.uint8)
    filled = visible(rgb, alpha)
    seen = np.argwhere(alpha > 0)
    np.testing.assert_array_equal(filled[alpha > 0], rgb[alpha > 0])
    for y, x in np.argwhere(alpha == 0):
        squared = ((seen - (y, x)) ** 2).sum(1)
        near = seen[squared == squared.min()]
        assert any((filled[y, x] == rgb[tuple(one)]).all() for one in near)


def test_an_edge_keeps_its_colour_when_it_is_enlarged():
    rgb, alpha = np.full((16, 16, 3), (200, 40, 30), np.uint8), np.full((16, 16), 255, np.uint8)
    rgb[:, 8:], alpha[:, 8:] = (0, 255, 0), 0

    def enlarge(pixels: np.ndarray) -> np.ndarray:
        x = torch.from_numpy(pixels).permute(2, 0, 1)[None].float()
        return interpolate(x, scale_factor=4, mode="bicubic")[0].permute(1, 2, 0).numpy()

    shown = enlarged(alpha, 64, 64)
    assert shown is not None
    edge = shown > 0
    assert abs(enlarge(visible(rgb, alpha)) - (200, 40, 30))[edge].max() < 1
    assert abs(enlarge(rgb) - (200, 40, 30))[edge].max() > 50


def test_nothing_to_see_and_all_to_see():
    rgb = np.zeros((2, 2, 3), np.uint8)
    for alpha in (None, np.zeros((2, 2), np.uint8), np.full((2, 2), 9, np.uint8)):
        assert visible(rgb, alpha) is rgb
    assert enlarged(None, 4, 4) is None


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_transparency_is_enlarged_in_bands_of_rows(scale):
    alpha = np.random.default_rng(2).integers(0, 256, (41, 6), np.uint8)
    whole = enlarged(alpha, 41 * scale, 6 * scale)
    edges = [0, 1, 9, 10, 40, 41]
    rows = [enlarged_rows(alpha, scale, a * scale, b * scale) for a, b in pairwise(edges)]
    assert whole is not None
    assert np.abs(np.vstack(rows).astype(int) - whole).max() <= 1  # to rounding
