"""What a file may claim, and what damage in it must not spoil."""

import re
import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
import tifffile
from PIL import Image

from quantlib.errors import QuantlibError
from quantlib.imaging import decoding, reading
from quantlib.imaging.containers import jpeg, png, tiff, webp
from quantlib.imaging.reading import read_picture
from tests.fuzz import pictures as fuzz
from tests.fuzz.measuring import RIGHT, outcomes
from tests.imaging.picture_files import chunk, raw_png, saved, with_chunk

RGB = np.random.default_rng(0).integers(0, 256, (24, 40, 3)).astype(np.uint8)
PICTURE = Image.fromarray(RGB)


def refused(data: bytes) -> str:
    with pytest.raises(QuantlibError) as error:
        read_picture(data, "a.png")
    sentence = str(error.value)
    assert sentence.startswith("a.png ") and sentence.endswith(".") and "\n" not in sentence
    return sentence


@pytest.fixture
def undecoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "open", lambda *given, **more: pytest.fail("decoded"))


def many_scans(side: int, scans: int) -> bytes:
    data = saved(Image.new("RGB", (side, side), "orange"), "JPEG", progressive=True)
    starts = [found.start() for found in re.finditer(rb"\xff\xda", data)]
    return data[:-2] + data[starts[-1] : -2] * (scans - len(starts)) + data[-2:]


def test_progressive_jpeg_of_very_many_scans(undecoded):
    assert "is stored in 1,000 scans" in refused(many_scans(1_500, 1_000))


def test_the_strips_of_a_tiff_are_no_scans():
    picture = Image.new("RGB", (3_000, 3_000))
    assert tiff.taken_apart(saved(picture, "TIFF", compression="jpeg")).passes == 1


def test_as_many_scans_as_a_small_picture_can_bear():
    assert jpeg.taken_apart(many_scans(64, 1_000)).passes == 1_000
    assert read_picture(many_scans(64, 1_000)).rgb.shape == (64, 64, 3)


def test_more_segments_chunks_frames_and_strips_than_any_picture_has(undecoded, monkeypatch):
    data = saved(PICTURE, "JPEG")
    assert "20,000 segments" in refused(data[:2] + b"\xff\xfe\0\2" * 20_001 + data[2:])
    assert "50,000 chunks" in refused(with_chunk(saved(PICTURE), chunk(b"tEXt", b"") * 50_001))
    monkeypatch.setattr(webp, "MAX_CHUNKS", 3)
    assert "3 chunks" in refused(saved(PICTURE, "WEBP") + b"ABCD\0\0\0\0" * 4)
    frames = saved(PICTURE, "TIFF", save_all=True, append_images=[PICTURE] * 4)
    monkeypatch.setattr(tiff, "MAX_FRAMES", 4)
    assert "4 frames" in refused(frames)
    monkeypatch.setattr(tiff, "MAX_STRIPS", 2)
    buffer = BytesIO()
    tifffile.imwrite(buffer, RGB, photometric="rgb", rowsperstrip=4)
    assert "2 strips" in refused(buffer.getvalue())


def test_files_that_are_too_long(undecoded, monkeypatch):
    monkeypatch.setattr(decoding, "MAX_BYTES", 100)
    assert "larger than 100 bytes" in refused(saved(PICTURE))
    monkeypatch.undo()
    monkeypatch.setattr(jpeg, "MAX_BYTES", 100)
    assert "is a JPEG of more than 100 bytes" in refused(saved(PICTURE, "JPEG"))
    monkeypatch.undo()
    assert "of run lengths" in refused(fuzz.run_length_bmp(9, 9, bytes(1_000_001)))
    assert "of run lengths" in refused(fuzz.run_length_bmp(2_001, 2_000, b"\0\0"))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
def test_the_size_is_known_before_anything_is_decoded(kind, undecoded):
    with pytest.raises(QuantlibError, match="40 x 24 pixels, above the limit of 959"):
        read_picture(saved(PICTURE, kind), max_pixels=959)


def test_a_tile_larger_than_its_picture(undecoded):
    buffer = BytesIO()
    tifffile.imwrite(buffer, RGB, photometric="rgb", tile=(16, 16))
    data = buffer.getvalue()
    for tag in (tiff.TILE_WIDTH, tiff.TILE_HEIGHT):
        at = data.index(struct.pack("<HHI", tag, 4, 1))
        data = data[: at + 8] + struct.pack("<I", 60_000) + data[at + 12 :]
    assert "above the limit" in refused(data)


@pytest.mark.parametrize("compression", ["lzma", "zstd"])
def test_unusual_compressions(undecoded, compression):
    data = saved(PICTURE, "TIFF", compression=compression)
    assert "compressed in an unusual way" in refused(data)


@pytest.mark.parametrize("kind", [np.float32, np.int32, np.uint32])
def test_samples_of_unusual_kinds(kind):
    buffer = BytesIO()
    tifffile.imwrite(buffer, np.ones((4, 4), kind), photometric="minisblack")
    refused(buffer.getvalue())


BOMB = zlib.compress(bytes(50_000_000), 9)


@pytest.mark.parametrize(
    "told",
    [
        chunk(b"zTXt", b"Comment\0\0" + BOMB),
        chunk(b"iTXt", b"Comment\0\1\0\0\0" + BOMB),
        chunk(b"zTXt", b"Raw profile type exif\0\0" + BOMB),
        chunk(b"tEXt", b"Raw profile type exif\0\nexif\n 4\nno digits"),
        chunk(b"zTXt", b"Comment\0\x09"),
        chunk(b"tEXt", b"no keyword"),
        chunk(b"sRGB", b""),
        chunk(b"pHYs", b"1"),
        chunk(b"acTL", b"1"),
        chunk(b"acTL", struct.pack(">II", 2**32 - 1, 0))[:-1] + b"?",
        chunk(b"eXIf", b"II*\0\xff\xff\xff\xff"),
        chunk(b"eXIf", b"garbage"),
        chunk(b"iCCP", b"name\0\0" + BOMB),
        chunk(b"iCCP", b"no end"),
        chunk(b"iCCP", b"name\0\0not deflated"),
        chunk(b"gAMA", b"1"),
        chunk(b"gAMA", bytes(4)) + chunk(b"cHRM", bytes(5)),
        chunk(b"tRNS", b"1"),
        chunk(b"gAMA", struct.pack(">I", 100_000))[:-1] + b"?",
        chunk(b"tEXt", b"Comment\0text")[:-1] + b"?",
        chunk(b"eXIf", b"II*\0")[:-2] + b"??",
        chunk(b"tRNS", bytes(6))[:-1] + b"?",
    ],
    ids=lambda told: told[4:22].decode("latin-1"),
)
def test_damage_in_metadata_spoils_no_png(told):
    picture = read_picture(with_chunk(saved(PICTURE), told))
    np.testing.assert_array_equal(picture.rgb, RGB)
    assert picture.alpha is None


def test_wrong_checksums_of_what_matters_are_said():
    wrong = chunk(b"gAMA", struct.pack(">I", 100_000))[:-1] + b"?"
    assert read_picture(with_chunk(saved(PICTURE), wrong)).notes == ("damaged metadata ignored",)


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


@pytest.mark.parametrize(
    "told",
    [
        segment(0xE1, b"Exif\0\0"),
        segment(0xE1, b"Exif\0\0II*\0\xff\xff\xff\xff"),
        segment(0xE1, b"Exif\0\0" + bytes(9)),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0tiff:Orientation>9<"),
        segment(0xE2, b"MPF\0II*\0\x08\0\0\0" + b"\xff" * 40),
        segment(0xE2, b"ICC_PROFILE\0\2\5part of a profile"),
        segment(0xED, b"Photoshop 3.0\x008BIM" + b"\xff" * 40),
        segment(0xE2, b"ICC_PROFILE\0"),
        segment(0xFE, b"\xff\xd9\xff\xda"),
        segment(0xEF, b"\xff\xda" * 200),
    ],
    ids=lambda told: told[4:20].decode("latin-1"),
)
def test_damage_in_metadata_spoils_no_jpeg(told):
    data = saved(PICTURE, "JPEG")
    expected = read_picture(data).rgb
    found = read_picture(data[:2] + told + data[2:])
    np.testing.assert_array_equal(found.rgb, expected)


def test_what_is_behind_a_jpeg_is_not_looked_at():
    data = saved(PICTURE, "JPEG")
    assert jpeg.taken_apart(data + data * 3) == jpeg.taken_apart(data)


def test_damage_in_metadata_spoils_no_webp():
    plain = saved(PICTURE, "WEBP", lossless=True)
    exif = Image.Exif()
    exif[0x010E] = "text" * 100
    told = saved(PICTURE, "WEBP", lossless=True, exif=exif, xmp=b"x" * 99)
    cut = told[:-120]  # the metadata stand behind the pixels
    for data in (cut, told.replace(b"EXIF", b"EXIX"), plain + b"junk"):
        np.testing.assert_array_equal(read_picture(data).rgb, RGB)


def test_damage_in_metadata_spoils_no_tiff():
    exif = Image.Exif()
    exif[0x010E], exif[0x0132] = "a description" * 9, "2026:01:01 00:00:00"
    data = saved(PICTURE, "TIFF", exif=exif, icc_profile=bytes(200), dpi=(300, 300))
    tags = [270, 282, 283, 306, 34675]
    for tag in tags:
        for kind in (2, 3, 4, 5, 7):
            at = data.find(struct.pack("<HH", tag, kind))
            if at > 0:
                damage = struct.pack("<HHII", tag, 12, 2**31, 2**32 - 9)
                data = data[:at] + damage + data[at + 12 :]
    np.testing.assert_array_equal(read_picture(data).rgb, RGB)


def test_tiff_whose_frames_go_round_in_circles():
    data = bytearray(saved(PICTURE, "TIFF", save_all=True, append_images=[PICTURE]))
    file = tiff.Directories(bytes(data))
    second = file.next(file.first)
    entries = struct.unpack_from("<H", data, second)[0]
    struct.pack_into("<I", data, second + 2 + 12 * entries, file.first)
    assert read_picture(bytes(data)).notes == ("first of 2 frames",)


@pytest.mark.parametrize(("bigtiff", "byteorder"), [(False, "<"), (False, ">"), (True, "<")])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_tiff_of_other_makers(bigtiff, byteorder, compression):
    for values, photometric in ((RGB, "rgb"), (RGB[..., 0].astype(np.uint16) * 257, "minisblack")):
        buffer = BytesIO()
        tifffile.imwrite(
            buffer,
            values,
            photometric=photometric,
            bigtiff=bigtiff,
            byteorder=byteorder,
            compression=compression,
        )
        picture = read_picture(buffer.getvalue())
        wanted = RGB if photometric == "rgb" else np.repeat(RGB[..., :1], 3, 2)
        np.testing.assert_array_equal(picture.rgb, wanted)


def test_bigtiff_in_the_order_that_pillow_does_not_know():
    buffer = BytesIO()
    tifffile.imwrite(buffer, RGB, photometric="rgb", bigtiff=True, byteorder=">")
    assert "is a TIFF of an unusual kind" in refused(buffer.getvalue())


def test_grey_of_16_bits_whose_0_is_white():
    buffer = BytesIO()
    tifffile.imwrite(buffer, RGB[..., 0].astype(np.uint16) * 257, photometric="miniswhite")
    np.testing.assert_array_equal(read_picture(buffer.getvalue()).rgb[..., 1], 255 - RGB[..., 0])


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_bmp(mode):
    image = PICTURE.convert(mode)
    expected = np.asarray(image.convert("RGB"))
    np.testing.assert_array_equal(read_picture(saved(image, "BMP")).rgb, expected)


def test_a_palette_picture_without_its_palette():
    assert "is damaged" in refused(raw_png(2, 1, 8, 3, b"\0\0\1"))


@pytest.mark.parametrize("raised", [AssertionError, MemoryError, RecursionError, KeyError])
def test_whatever_a_decoder_raises_is_one_sentence(monkeypatch, raised):
    def broken(*given, **more):
        raise raised("two\nlines")

    for place, name in ((Image, "open"), (reading, "in_srgb"), (png, "orientation_in")):
        with monkeypatch.context() as patch:
            patch.setattr(place, name, broken)
            refused(saved(PICTURE))


def test_the_worst_that_is_let_through_stays_within_time_and_memory():
    most = Image.new("RGB", (4_000, 4_000), "orange")
    files = [
        many_scans(4_000, 24),
        saved(most, "PNG", compress_level=1),
        saved(most.convert("RGBA"), "TIFF", compression="tiff_lzw"),
    ]
    for outcome in outcomes(fuzz.handle, files):
        assert outcome.is_handled and outcome.kind == RIGHT, outcome


def test_damaged_pictures_end_in_a_sentence_or_a_right_result():
    assert all(outcome.is_handled for outcome in fuzz.ENGINE.run(250, seed=2))
