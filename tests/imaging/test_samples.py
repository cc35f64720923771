import socket

import numpy as np
import pytest
from skimage import data

from quantlib.errors import QuantlibError
from quantlib.imaging.chart import chart
from quantlib.imaging.samples import SAMPLES, calibration_pictures, load_sample

KEYS = [sample.key for sample in SAMPLES]


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a sample reached for the network")

    monkeypatch.setattr(socket, "socket", refuse)


@pytest.mark.parametrize("key", KEYS)
def test_whole_samples_divide_by_12(key):
    picture = load_sample(key)
    assert picture.rgb.dtype == np.uint8
    assert picture.rgb.shape[0] % 12 == picture.rgb.shape[1] % 12 == 0
    assert min(picture.rgb.shape[:2]) >= 288
    assert picture.alpha is None
    assert picture.name


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("side", [1, 96, 300])
def test_crops_have_the_side_asked_for(key, side):
    rgb = load_sample(key, side).rgb
    assert rgb.shape == (side, side, 3)
    assert rgb.flags.c_contiguous
    if side > 1:
        assert rgb.std() > 20


@pytest.mark.parametrize(
    ("key", "reader"),
    [
        ("astronaut", "astronaut"),
        ("cat", "chelsea"),
        ("coffee", "coffee"),
        ("motorcycle", "stereo_motorcycle"),
        ("rocket", "rocket"),
        ("tissue", "immunohistochemistry"),
    ],
)
def test_pixels_are_those_that_scikit_image_reads(key, reader):
    read = getattr(data, reader)()
    whole = read[0] if isinstance(read, tuple) else read
    middle = min(whole.shape[:2]) // 12 * 12
    rgb = load_sample(key, middle).rgb
    rows = np.lib.stride_tricks.sliding_window_view(whole, (middle, middle, 3))
    assert any((rgb == crop).all() for crop in rows.reshape(-1, middle, middle, 3))


def test_a_sample_may_be_changed_and_the_next_one_is_whole():
    first = load_sample("cat").rgb
    first[:] = 0
    assert load_sample("cat").rgb.any()


def test_every_sample_says_where_it_is_from():
    assert len(set(KEYS)) == len(KEYS)
    assert all(sample.title and len(sample.credit) > 10 for sample in SAMPLES)


def test_an_unknown_key_lists_the_keys():
    with pytest.raises(QuantlibError) as raised:
        load_sample("lena")
    assert all(key in str(raised.value) for key in KEYS)


@pytest.mark.parametrize("side", [0, -3, 301])
def test_a_side_that_the_cat_does_not_have(side):
    with pytest.raises(QuantlibError, match="1 to 300"):
        load_sample("cat", side)


def test_calibration_pictures_are_fixed_and_differ():
    first, second = calibration_pictures(), calibration_pictures()
    assert [p.shape for p in first] == [(96, 96, 3)] * 4
    assert all((a == b).all() for a, b in zip(first, second, strict=True))
    assert len({p.tobytes() for p in first}) == 4


def test_the_chart_holds_what_it_promises():
    rgb = chart()
    np.testing.assert_array_equal(rgb, chart())
    assert rgb.shape == (480, 720, 3)
    finest = rgb[244:266, 8:108, 0]
    assert (finest[:, ::2] == 0).all()
    assert (finest[:, 1::2] == 255).all()
    star = rgb[:240, 240:480, 0].astype(int)
    assert abs(star[::-1, ::-1] - star).max() <= 1
    plate = rgb[:240, :240, 0]
    np.testing.assert_array_equal(plate, plate.T)
