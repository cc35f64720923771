import errno
import os

import numpy as np
import pytest
from PIL import Image, ImageCms

from quantlib import files
from quantlib.errors import QuantlibError
from quantlib.imaging.encoding import picture_bytes, png_bytes
from quantlib.imaging.files import check_picture_writable, read_picture_file, write_picture

RGB = np.random.default_rng(0).integers(0, 256, (6, 9, 3)).astype(np.uint8)
ALPHA = RGB[..., 0]


@pytest.mark.parametrize("alpha", [None, RGB[..., 0]])
def test_write_and_read(tmp_path, alpha):
    path = tmp_path / "out.PNG"
    write_picture(path, RGB, alpha)
    assert path.read_bytes() == png_bytes(RGB, alpha)
    picture = read_picture_file(path)
    np.testing.assert_array_equal(picture.rgb, RGB)
    if alpha is None:
        assert picture.alpha is None
    else:
        np.testing.assert_array_equal(picture.alpha, alpha)


def test_places_and_suffixes_that_cannot_be_written(tmp_path):
    with pytest.raises(QuantlibError, match="There is no folder"):
        write_picture(tmp_path / "none" / "a.png", RGB)
    for name in ("a.gif", "a"):
        with pytest.raises(QuantlibError, match=r"does not end in \.png"):
            write_picture(tmp_path / name, RGB)
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(QuantlibError, match="is a folder"):
        write_picture(tmp_path / "folder.png", RGB)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder.png"]


def test_arrays_that_are_no_pictures():
    for rgb in (RGB / 255, RGB[..., 0], RGB[:0], RGB[..., :2]):
        with pytest.raises(QuantlibError, match="convert it first"):
            png_bytes(rgb)
    with pytest.raises(QuantlibError, match="transparency"):
        png_bytes(RGB, RGB[:3, :, 0])


@pytest.mark.parametrize("ending", [".png", ".tif", ".tiff", ".webp", ".bmp", ".TIFF", ".Bmp"])
def test_lossless_endings(tmp_path, ending):
    path = tmp_path / f"out{ending}"
    write_picture(path, RGB)
    picture = read_picture_file(path)
    np.testing.assert_array_equal(picture.rgb, RGB)
    assert picture.alpha is None


@pytest.mark.parametrize("ending", [".png", ".tif", ".webp"])
def test_transparency_and_what_lies_under_it(tmp_path, ending):
    path = tmp_path / f"out{ending}"
    alpha = ALPHA.copy()
    alpha[0] = 0
    write_picture(path, RGB, alpha)
    picture = read_picture_file(path)
    np.testing.assert_array_equal(picture.rgb, RGB)
    np.testing.assert_array_equal(picture.alpha, alpha)


@pytest.mark.parametrize("ending", [".jpg", ".jpeg", ".bmp"])
def test_endings_without_transparency(ending):
    quality = None if ending == ".bmp" else 90
    with pytest.raises(QuantlibError, match="holds no transparency"):
        picture_bytes(RGB, ending, ALPHA, quality=quality)


def test_jpeg_needs_a_choice(tmp_path):
    smooth = np.array(Image.radial_gradient("L").resize((64, 64)).convert("RGB"))
    for quality, words in ((None, "JPEG loses detail"), (0, "1 to 100"), (101, "1 to 100")):
        with pytest.raises(QuantlibError, match=words):
            write_picture(tmp_path / "a.jpg", smooth, quality=quality)
        with pytest.raises(QuantlibError, match=words):
            check_picture_writable(tmp_path / "a.jpg", quality)
    with pytest.raises(QuantlibError, match="leave the quality out"):
        check_picture_writable(tmp_path / "a.png", 90)
    sizes = {}
    for quality in (30, 95):
        write_picture(tmp_path / "a.jpg", smooth, quality=quality)
        sizes[quality] = (tmp_path / "a.jpg").stat().st_size
    assert sizes[30] < sizes[95]
    assert abs(read_picture_file(tmp_path / "a.jpg").rgb.astype(int) - smooth).mean() < 1


def test_more_pixels_than_a_format_holds():
    with pytest.raises(QuantlibError, match="holds 16,383 pixels a side, not 17,000"):
        picture_bytes(np.zeros((1, 17_000, 3), np.uint8), ".webp")


def test_a_full_disk_leaves_the_older_picture(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    write_picture(path, RGB)

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(QuantlibError, match="There is no room"):
        write_picture(path, 255 - RGB)
    np.testing.assert_array_equal(read_picture_file(path).rgb, RGB)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("ending", [".png", ".tif", ".webp", ".jpg"])
def test_a_profile_is_carried_into_the_file(tmp_path, ending, wide_profile):
    path = tmp_path / f"out{ending}"
    rgb = np.full((16, 16, 3), (180, 100, 90), np.uint8)
    write_picture(path, rgb, profile=wide_profile, quality=95 if ending == ".jpg" else None)
    with Image.open(path) as stored:
        assert stored.info["icc_profile"] == wide_profile
        raw = np.asarray(stored)
    assert abs(raw.astype(int) - rgb).max() > 5  # the levels are the profile's
    assert abs(read_picture_file(path).rgb.astype(int) - rgb).max() <= 3


def test_a_profile_without_a_way_back():
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for profile in (lab, b"no profile"):
        with pytest.raises(QuantlibError, match="no way back from sRGB"):
            picture_bytes(RGB, ".png", profile=profile)


def test_a_format_without_profiles_holds_srgb(wide_profile):
    assert picture_bytes(RGB, ".bmp", profile=wide_profile) == picture_bytes(RGB, ".bmp")
