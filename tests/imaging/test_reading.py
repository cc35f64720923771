import os
import struct
import warnings

import numpy as np
import pytest
from PIL import Image

from quantlib.errors import QuantlibError
from quantlib.imaging.files import read_picture_file
from quantlib.imaging.folders import picture_files
from quantlib.imaging.reading import read_picture
from tests.imaging.picture_files import raw_png, saved

RGB = np.random.default_rng(0).integers(0, 256, (6, 9, 3)).astype(np.uint8)
SMOOTH = np.dstack(
    [np.linspace(30, 220, 32 * 40).reshape(32, 40), np.full((32, 40), 120.0), np.eye(32, 40) * 9]
).astype(np.uint8)


def test_rgb_png_comes_back_unchanged():
    picture = read_picture(saved(Image.fromarray(RGB)), "a.png")
    np.testing.assert_array_equal(picture.rgb, RGB)
    assert picture.rgb.flags.writeable
    assert (picture.alpha, picture.name, picture.notes) == (None, "a.png", ())


def test_rgba():
    alpha = np.arange(54, dtype=np.uint8).reshape(6, 9)
    picture = read_picture(saved(Image.fromarray(np.dstack([RGB, alpha]))))
    np.testing.assert_array_equal(picture.rgb, RGB)
    np.testing.assert_array_equal(picture.alpha, alpha)
    assert picture.notes == ("transparency kept apart",)


def test_opaque_alpha_is_left_out():
    picture = read_picture(saved(Image.fromarray(np.dstack([RGB, np.full((6, 9), 255, np.uint8)]))))
    assert picture.alpha is None
    assert picture.notes == ("opaque alpha channel left out",)


@pytest.mark.parametrize("mode", ["1", "L"])
def test_grey(mode):
    image = Image.fromarray(RGB[..., 0]).convert(mode)
    picture = read_picture(saved(image))
    expected = np.asarray(image.convert("L"))
    for channel in range(3):
        np.testing.assert_array_equal(picture.rgb[..., channel], expected)
    assert picture.alpha is None
    assert "greyscale" in picture.notes[0]


def test_grey_with_alpha():
    image = Image.merge(
        "LA", [Image.fromarray(RGB[..., 0].copy()), Image.fromarray(RGB[..., 1].copy())]
    )
    picture = read_picture(saved(image))
    np.testing.assert_array_equal(picture.rgb[..., 2], RGB[..., 0])
    np.testing.assert_array_equal(picture.alpha, RGB[..., 1])
    assert len(picture.notes) == 2


def test_palette():
    image = Image.fromarray(RGB).quantize(16)
    picture = read_picture(saved(image))
    np.testing.assert_array_equal(picture.rgb, np.asarray(image.convert("RGB")))
    assert picture.alpha is None
    assert picture.notes == ("palette resolved",)


def test_palette_with_transparency():
    image = Image.fromarray(RGB).quantize(16)
    picture = read_picture(saved(image, transparency=3))
    np.testing.assert_array_equal(picture.alpha == 0, np.asarray(image) == 3)
    assert picture.notes == ("palette resolved", "transparency kept apart")


def test_16_bit_grey_with_a_transparent_value():
    values = np.array([[0x1234, 0xFFFF, 0x00FF]], np.uint16)
    plain = read_picture(saved(Image.fromarray(values)))
    assert plain.rgb[0, :, 0].tolist() == [0x12, 0xFF, 0x00]
    assert plain.alpha is None
    assert "16 bit reduced to 8" in plain.notes
    rows = b"\0" + values.astype(">u2").tobytes()
    keyed = read_picture(raw_png(3, 1, 16, 0, rows, struct.pack(">H", 0x1234)))
    np.testing.assert_array_equal(keyed.alpha, [[0, 255, 255]])


def test_1_bit_with_a_transparent_value():
    picture = read_picture(raw_png(8, 1, 1, 0, b"\0\xf0", b"\0\0"))
    assert picture.rgb[0, :, 1].tolist() == [255] * 4 + [0] * 4
    np.testing.assert_array_equal(picture.alpha, [[255] * 4 + [0] * 4])


def test_16_bit_rgb():
    rows = b"\0" + struct.pack(">6H", 0x1234, 0xFFFF, 0, 0x0100, 0x0200, 0x80FF)
    picture = read_picture(raw_png(2, 1, 16, 2, rows))
    assert picture.rgb.tolist() == [[[0x12, 0xFF, 0], [1, 2, 0x80]]]
    assert picture.notes == ("16 bit reduced to 8",)


@pytest.mark.parametrize(
    ("kind", "options"), [("JPEG", {"quality": 95}), ("WEBP", {"quality": 95})]
)
def test_lossy_formats(kind, options):
    picture = read_picture(saved(Image.fromarray(SMOOTH), kind, **options))
    assert abs(picture.rgb.astype(int) - SMOOTH).mean() < 4


def test_webp_with_alpha_and_frames():
    still = Image.fromarray(np.dstack([RGB, RGB[..., 0]]))
    picture = read_picture(saved(still, "WEBP", lossless=True, exact=True))
    np.testing.assert_array_equal(picture.alpha, RGB[..., 0])
    frames = [Image.fromarray(RGB), Image.fromarray(255 - RGB)]
    data = saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    picture = read_picture(data)
    np.testing.assert_array_equal(picture.rgb, RGB)
    assert picture.notes[0] == "first of 2 frames"


def test_cmyk_jpeg():
    image = Image.fromarray(SMOOTH).convert("CMYK")
    picture = read_picture(saved(image, "JPEG", quality=95))
    assert abs(picture.rgb.astype(int) - SMOOTH).mean() < 6
    assert picture.notes == ("CMYK converted to RGB",)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_exif_rotation(kind):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by 90 degrees
    options = {"lossless": True} if kind == "WEBP" else {}
    picture = read_picture(saved(Image.fromarray(SMOOTH), kind, exif=exif, **options))
    assert abs(picture.rgb.astype(int) - np.rot90(SMOOTH, -1)).mean() < 6
    assert picture.notes == ("EXIF rotation applied",)


@pytest.mark.shared
@pytest.mark.parametrize("folder", ["set5/HR", "set5/LR_bicubic/X2", "set14/SRF_2", "t91"])
def test_plain_pictures_are_what_pillow_decodes(shared_data, folder):
    files = picture_files(shared_data / folder)
    assert files
    for file in files[:12]:
        with Image.open(file) as image:
            expected = np.asarray(image.convert("RGB"))
        np.testing.assert_array_equal(read_picture_file(file).rgb, expected)


def test_exif_upright_or_senseless():
    for value in (1, 0, 77):
        exif = Image.Exif()
        exif[0x0112] = value
        assert read_picture(saved(Image.fromarray(RGB), exif=exif)).notes == ()


def test_16_bit_grey_that_is_rotated():
    exif = Image.Exif()
    exif[0x0112] = 3
    values = np.array([[256, 512]], np.uint16)
    picture = read_picture(saved(Image.fromarray(values), exif=exif))
    assert picture.rgb[0, :, 0].tolist() == [2, 1]
    assert "16 bit reduced to 8" in picture.notes


def test_from_a_path(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(saved(Image.fromarray(RGB)))
    assert read_picture_file(path).name == "photo.png"
    assert read_picture_file(path, "other").name == "other"


def test_a_path_is_never_opened(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(saved(Image.fromarray(RGB)))
    for source in (str(path), path, str(path).encode().decode(), 7, None, ["photo"]):
        with pytest.raises(QuantlibError, match="not the bytes of a file") as error:
            read_picture(source)  # type: ignore[arg-type]
        assert "photo" not in str(error.value)


def one_sentence(error) -> str:
    text = str(error.value)
    assert text.endswith(".")
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"just some text\n", "no PNG, JPEG, WebP, BMP or TIFF"),
        (saved(Image.fromarray(RGB), "GIF"), "no PNG, JPEG, WebP, BMP or TIFF"),
        (saved(Image.fromarray(SMOOTH), "JPEG")[:-200], "damaged"),
        (saved(Image.fromarray(RGB))[:-60], "damaged"),
        (saved(Image.fromarray(SMOOTH), "WEBP")[:60], "bad.png"),
        (b"\x89PNG\r\n\x1a\n", "bad.png"),
        (raw_png(3, 3, 8, 2, b"\0\1"), "damaged"),
    ],
)
def test_bad_data(data, words, tmp_path):
    path = tmp_path / "bad.png"
    path.write_bytes(data)
    for read, source in ((read_picture, data), (read_picture_file, path)):
        with pytest.raises(QuantlibError, match=words) as error:
            read(source, "bad.png")
        assert "bad.png" in one_sentence(error)


def test_bytes_without_a_name():
    with pytest.raises(QuantlibError, match=r"^The picture is empty"):
        read_picture(b"")


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(QuantlibError, match=r"There is no picture gone\.png") as error:
        read_picture_file(tmp_path / "gone.png")
    one_sentence(error)
    with pytest.raises(QuantlibError, match="is a folder"):
        read_picture_file(tmp_path)
    with pytest.raises(QuantlibError, match="cannot be read"):
        read_picture_file(tmp_path / ("x" * 300 + ".png"))


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions do not bind here")
def test_forbidden_file(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(saved(Image.fromarray(RGB)))
    path.chmod(0)
    with pytest.raises(QuantlibError, match="cannot be read"):
        read_picture_file(path)


@pytest.mark.parametrize("side", [5_000, 12_000, 20_000])
@pytest.mark.parametrize("action", ["default", "error", "ignore"])
def test_huge_pictures_are_refused_undecoded(side, action, monkeypatch):
    data = raw_png(side, side, 1, 0, bytes(100))
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    with warnings.catch_warnings():
        warnings.simplefilter(action)
        with pytest.raises(QuantlibError, match="above the limit of 24,500,000") as error:
            read_picture(data, "huge.png")
        assert "huge.png" in one_sentence(error)
        if side > 5_000:
            with pytest.raises(QuantlibError, match="above the limit"):
                read_picture(data, "huge.png", max_pixels=10**12)


def test_the_limit_is_the_callers():
    data = saved(Image.fromarray(RGB))
    assert read_picture(data, max_pixels=54).rgb.shape == (6, 9, 3)
    with pytest.raises(QuantlibError, match="9 x 6 pixels, above the limit of 53"):
        read_picture(data, max_pixels=53)


def test_every_truncation_of_every_format_is_a_sentence():
    for kind in ("PNG", "JPEG", "WEBP", "BMP", "TIFF"):
        data = saved(Image.fromarray(RGB), kind)
        for length in range(0, len(data) - 1, 7):
            try:
                picture = read_picture(data[:length], "cut")
            except QuantlibError:
                continue
            assert picture.rgb.shape == RGB.shape


def test_flipped_bytes_are_a_sentence_or_a_picture():
    rng = np.random.default_rng(5)
    for kind in ("PNG", "JPEG", "WEBP"):
        data = np.frombuffer(saved(Image.fromarray(RGB), kind), np.uint8)
        for _ in range(60):
            broken = data.copy()
            broken[rng.integers(0, len(data), 3)] ^= rng.integers(1, 256, 3).astype(np.uint8)
            try:
                read_picture(broken.tobytes(), "flipped")
            except QuantlibError as error:
                assert "flipped" in str(error)
