import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from quantlib.imaging.colour import from_srgb, is_storable
from quantlib.imaging.profiles import profile_of_primaries
from quantlib.imaging.reading import read_picture
from tests.imaging.picture_files import chunk, saved, with_chunk

RAMP = np.arange(256, dtype=np.uint8)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
TO_XYZ = {  # the published matrices from linear values to XYZ under D65
    "sRGB": [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]],
    "Adobe": [[0.5767, 0.1856, 0.1882], [0.2973, 0.6274, 0.0753], [0.0270, 0.0707, 0.9911]],
}


def colours() -> np.ndarray:
    grid = np.stack(np.meshgrid(*[RAMP[::17]] * 3, indexing="ij"), -1)
    return grid.reshape(64, 64, 3)


def srgb_of(linear: np.ndarray) -> np.ndarray:
    linear = linear.clip(0, 1)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return curved * 255


def adobe_in_srgb(rgb: np.ndarray) -> np.ndarray:
    xyz = (rgb / 255.0) ** 2.2 @ np.array(TO_XYZ["Adobe"]).T
    return srgb_of(xyz @ np.linalg.inv(TO_XYZ["sRGB"]).T)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_a_wide_profile_is_converted_and_said(wide_profile, kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    data = saved(Image.fromarray(colours()), kind, icc_profile=wide_profile, **options)
    picture = read_picture(data)
    assert abs(picture.rgb - adobe_in_srgb(colours())).max() < 2.5
    assert abs(picture.rgb.astype(int) - colours()).max() > 40
    assert picture.notes == ("colour profile gamma 2.20 converted to sRGB",)
    assert picture.profile == wide_profile


def test_jpeg_in_several_segments(wide_profile):
    long = wide_profile + bytes(100_000)
    flat = Image.new("RGB", (16, 16), (200, 90, 80))
    picture = read_picture(saved(flat, "JPEG", quality=100, icc_profile=long))
    assert abs(picture.rgb - adobe_in_srgb(np.array([200, 90, 80]))).max() < 4
    assert picture.profile == long


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_srgb_keeps_its_levels(kind):
    picture = read_picture(saved(Image.fromarray(colours()), kind, icc_profile=SRGB))
    np.testing.assert_array_equal(picture.rgb, colours())
    assert picture.notes == ()
    assert picture.profile == SRGB


def test_alpha_is_not_converted(wide_profile):
    rgba = np.dstack([colours(), colours()[..., 0]])
    picture = read_picture(saved(Image.fromarray(rgba), icc_profile=wide_profile))
    np.testing.assert_array_equal(picture.alpha, rgba[..., 3])
    assert abs(picture.rgb - adobe_in_srgb(colours())).max() < 2.5


def test_palettes_and_greyscale_with_profiles(wide_profile):
    indexed = Image.fromarray(colours()).quantize(32)
    expected = adobe_in_srgb(np.asarray(indexed.convert("RGB")))
    picture = read_picture(saved(indexed, icc_profile=wide_profile))
    assert abs(picture.rgb - expected).max() < 2.5
    grey = Image.fromarray(RAMP[None])
    picture = read_picture(saved(grey, icc_profile=profile_of_primaries(1.0)))
    assert abs(picture.rgb[0, :, 1] - srgb_of(RAMP / 255.0)).max() < 2
    assert len(picture.notes) == 2


def grey_profile(gamma: float) -> bytes:
    """A profile for greyscale (ICC.1, N-component LUT-less monochrome)."""
    source = profile_of_primaries(1 / gamma)
    assert source is not None
    return source.replace(b"RGB ", b"GRAY", 1).replace(b"rTRC", b"kTRC", 1)


def test_greyscale_with_a_profile_of_its_own():
    picture = read_picture(saved(Image.fromarray(RAMP[None]), icc_profile=grey_profile(1.8)))
    expected = srgb_of((RAMP / 255.0) ** 1.8)
    assert abs(picture.rgb[0, :, 0] - expected).max() < 2
    assert picture.profile is None  # an RGB result does not fit it


def gamma_chunk(gamma: float) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", round(gamma * 1e5)))


def test_gamma():
    png = saved(Image.fromarray(np.dstack([RAMP[None]] * 3)))
    picture = read_picture(with_chunk(png, gamma_chunk(1.0)))
    assert abs(picture.rgb[0, :, 0] - srgb_of(RAMP / 255.0)).max() < 1
    assert picture.notes == ("colour profile gamma 1.00 converted to sRGB",)
    picture = read_picture(with_chunk(png, gamma_chunk(1 / 1.8)))
    assert abs(picture.rgb[0, :, 0] - srgb_of((RAMP / 255.0) ** 1.8)).max() < 2


def test_gamma_and_primaries():
    adobe = [31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000]
    told = gamma_chunk(1 / 2.2) + chunk(b"cHRM", struct.pack(">8I", *adobe))
    picture = read_picture(with_chunk(saved(Image.fromarray(colours())), told))
    assert abs(picture.rgb - adobe_in_srgb(colours())).max() < 2.5


def test_what_srgb_is_written_as_stays():
    srgb = chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000))
    for told in (
        gamma_chunk(0.45455),
        gamma_chunk(0.45455) + srgb,
        gamma_chunk(1.0) + chunk(b"sRGB", b"\0"),
        srgb,
    ):
        picture = read_picture(with_chunk(saved(Image.fromarray(colours())), told))
        np.testing.assert_array_equal(picture.rgb, colours())
        assert (picture.notes, picture.profile) == ((), None)


@pytest.mark.parametrize("gamma", [0, 1, 4_000_000_000])
@pytest.mark.parametrize("primaries", [None, (0,) * 8, (31270, 32900) * 4, (2**31,) * 8])
def test_absurd_gammas_and_primaries_are_ignored(gamma, primaries):
    told = chunk(b"gAMA", struct.pack(">I", gamma))
    told += chunk(b"cHRM", struct.pack(">8I", *primaries)) if primaries else b""
    picture = read_picture(with_chunk(saved(Image.fromarray(colours())), told))
    np.testing.assert_array_equal(picture.rgb, colours())
    assert picture.notes == ("damaged colour profile ignored",)


def test_cmyk_with_a_profile_is_said_to_be_unfit(wide_profile):
    cmyk = Image.fromarray(colours()).convert("CMYK")
    plain = read_picture(saved(cmyk, "JPEG", quality=95))
    picture = read_picture(saved(cmyk, "JPEG", quality=95, icc_profile=wide_profile))
    np.testing.assert_array_equal(picture.rgb, plain.rgb)
    assert picture.notes == (
        "CMYK converted to RGB",
        "damaged or unfitting colour profile ignored",
    )


def cmyk_profile() -> bytes:
    """A press of two grid points an ink (ICC.1, lut8Type) whose inks only take light away."""
    light = np.array([1, 0])
    points = np.stack(np.meshgrid(*[light] * 4, indexing="ij"), -1).reshape(-1, 4)
    lightness = 255 * points.prod(1)
    lab = np.stack([lightness, np.full(16, 128), np.full(16, 128)], 1).astype(np.uint8)
    ramp = bytes(range(256))
    unit = np.eye(3).ravel() * 65536
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + unit.astype(">i4").tobytes()
    table += ramp * 4 + lab.tobytes() + ramp * 3
    source = bytearray(profile_of_primaries(1.0) or b"")[:128]
    source[12:24] = b"prtrCMYKLab "
    tags = {
        b"A2B0": table,
        b"A2B1": table,
        b"desc": b"desc" + bytes(4) + b"\0\0\0\6press\0" + bytes(78),
    }
    start, entries, body = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for tag, content in tags.items():
        entries += tag + struct.pack(">II", start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    source[:4] = struct.pack(">I", start + len(body))
    return bytes(source) + entries + body


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_with_its_own_profile(kind):
    inks = np.zeros((8, 8, 4), np.uint8)
    inks[:, 4:] = (255, 0, 0, 0)  # cyan, which this press prints as black
    cmyk = Image.fromarray(inks, "CMYK")
    options = {"quality": 100, "subsampling": 0} if kind == "JPEG" else {}
    picture = read_picture(saved(cmyk, kind, icc_profile=cmyk_profile(), **options))
    assert picture.notes == (
        "CMYK converted to RGB",
        "colour profile press converted to sRGB",
    )
    assert picture.rgb[:, :3].min() > 250 and picture.rgb[:, 5:].max() < 10
    assert picture.profile is None
    plain = read_picture(saved(cmyk, kind, **options))
    assert plain.rgb[0, 7, 1] > 250  # cyan without it


@pytest.mark.parametrize(
    "damage",
    [b"", b"no profile", bytes(200), SRGB[:100], SRGB[:300]],
    ids=["nothing", "words", "zeros", "a third", "nearly whole"],  # SRGB says when it was made
)
def test_damaged_profiles_are_ignored(damage):
    picture = read_picture(saved(Image.fromarray(colours()), icc_profile=damage or b"\0"))
    np.testing.assert_array_equal(picture.rgb, colours())
    assert picture.notes == ("damaged or unfitting colour profile ignored",)
    assert picture.profile is None


def test_profiles_that_leave_no_light_are_ignored(wide_profile):
    dark = bytearray(wide_profile)
    for tag in (b"rXYZ", b"gXYZ", b"bXYZ"):
        at = wide_profile.index(tag)
        (place,) = struct.unpack_from(">I", wide_profile, at + 4)
        dark[place + 8 : place + 20] = bytes(12)
    picture = read_picture(saved(Image.fromarray(colours()), icc_profile=bytes(dark)))
    np.testing.assert_array_equal(picture.rgb, colours())
    assert picture.notes == ("damaged or unfitting colour profile ignored",)


def test_there_and_back(wide_profile):
    inside = np.clip(colours(), 60, 190)
    stored = from_srgb(inside, wide_profile)
    assert abs(adobe_in_srgb(stored) - inside).max() < 3
    assert is_storable(wide_profile) and is_storable(SRGB)
    assert not is_storable(None) and not is_storable(cmyk_profile())
    np.testing.assert_array_equal(from_srgb(inside, SRGB), inside)
