import struct

import numpy as np
import pytest
from PIL import Image

from quantlib.datasets.annotated import read_annotated, read_annotation
from quantlib.errors import QuantlibError
from tests.fuzz.mutating import mutated
from tests.imaging.picture_files import chunk, raw_png, saved, with_chunk

NUMBERS = np.arange(12, dtype=np.uint8).reshape(3, 4)


def indexed(numbers: np.ndarray) -> Image.Image:
    image = Image.fromarray(numbers, "P")
    image.putpalette(bytes(range(48)))
    return image


@pytest.mark.parametrize("make", [Image.fromarray, indexed])
def test_the_numbers_themselves(make):
    np.testing.assert_array_equal(read_annotation(saved(make(NUMBERS))), NUMBERS)


@pytest.mark.parametrize(("depth", "values"), [(1, [0, 1]), (2, [0, 1, 2, 3]), (4, [0, 7, 11, 15])])
@pytest.mark.parametrize("colour", [0, 3])
def test_numbers_of_fewer_bits(depth, values, colour):
    bits = "".join(f"{value:0{depth}b}" for value in values).ljust(16, "0")
    rows = b"\0" + int(bits, 2).to_bytes(2)[: -(-len(values) * depth // 8)]
    palette = chunk(b"PLTE", bytes(3 * 16)[: 3 * 2**depth]) if colour == 3 else b""
    png = raw_png(len(values), 1, depth, colour, rows, told=palette)
    assert read_annotation(png).tolist() == [values]


def test_profiles_and_keys_do_not_change_numbers():
    png = saved(Image.fromarray(NUMBERS), transparency=3)
    png = with_chunk(png, chunk(b"gAMA", struct.pack(">I", 100_000)))
    np.testing.assert_array_equal(read_annotation(png), NUMBERS)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is no PNG file"),
        (saved(Image.fromarray(NUMBERS), "BMP"), "is no PNG file"),
        (saved(Image.fromarray(NUMBERS))[:50], "damaged"),
        (raw_png(9, 9, 8, 0, b"\0\0\1"), "damaged"),
        (saved(Image.new("RGB", (2, 2))), "not hold one number per pixel"),
        (saved(Image.new("LA", (2, 2))), "not hold one number per pixel"),
        (saved(Image.fromarray(NUMBERS.astype(np.uint16))), "not hold one number per pixel"),
        (raw_png(5_000, 5_000, 8, 0, bytes(9)), "above the limit of 24,500,000"),
    ],
)
def test_no_annotation(data, words):
    with pytest.raises(QuantlibError, match=words) as error:
        read_annotation(data, "street.png")
    assert "street.png" in str(error.value) and "\n" not in str(error.value)


def test_the_limit_is_the_callers():
    with pytest.raises(QuantlibError, match="above the limit of 11"):
        read_annotation(saved(Image.fromarray(NUMBERS)), max_pixels=11)


def test_damage_ends_in_a_sentence_or_in_numbers():
    files = [saved(make(NUMBERS)) for make in (Image.fromarray, indexed)]
    for at in range(500):
        random = np.random.default_rng((1, at))
        try:
            found = read_annotation(mutated(files, random))
        except QuantlibError:
            continue
        assert found.dtype == np.uint8 and found.ndim == 2


def test_what_operating_systems_leave_beside_pictures(tmp_path):
    for side, pixels in (("pictures", np.zeros((3, 4, 3), np.uint8)), ("numbers", NUMBERS)):
        (tmp_path / side).mkdir()
        Image.fromarray(pixels).save(tmp_path / side / "a.png")
        (tmp_path / side / "._a.png").write_bytes(b"left behind")
    assert len(read_annotated(tmp_path / "pictures", tmp_path / "numbers")) == 1
