"""PNG files that are written band by band, as Pillow reads them."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from quantlib.imaging.png_rows import AT_ONCE, PngRows
from quantlib.imaging.profiles import profile_of_primaries
from quantlib.imaging.samples import load_sample


def written(pixels: np.ndarray, heights: list[int], profile: bytes | None = None) -> BytesIO:
    height, width, channels = pixels.shape
    png = PngRows(file := BytesIO(), width, height, channels == 4, profile)
    top = 0
    for rows in heights:
        png.add(pixels[top : top + rows])
        top += rows
    png.end()
    return file


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("heights", [[1] * 7, [7], [2, 5], [200], [AT_ONCE + 1, 3]], ids=str)
def test_bands_of_any_height_make_the_picture(channels, heights):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (sum(heights), 5, channels), np.uint8)
    with Image.open(written(pixels, heights)) as image:
        assert image.mode == ("RGB" if channels == 3 else "RGBA")
        np.testing.assert_array_equal(np.asarray(image), pixels)


def test_a_photograph_takes_no_more_room_than_pillow_gives_it():
    rgb = load_sample("cat").rgb
    Image.fromarray(rgb).save(pillow := BytesIO(), "PNG", compress_level=3)
    assert len(written(rgb, [len(rgb)]).getvalue()) < 1.05 * len(pillow.getvalue())


def test_the_profile_is_stored():
    profile = profile_of_primaries(1.0)
    with Image.open(written(np.zeros((2, 2, 3), np.uint8), [2], profile)) as image:
        assert image.info["icc_profile"] == profile


def test_rows_that_do_not_belong_to_the_picture():
    png = PngRows(BytesIO(), 4, 2, transparent=False)
    for wrong in (np.zeros((1, 5, 3)), np.zeros((1, 4, 4)), np.zeros((3, 4, 3))):
        with pytest.raises(ValueError):
            png.add(wrong.astype(np.uint8))
    with pytest.raises(ValueError, match="2 rows are missing"):
        png.end()
