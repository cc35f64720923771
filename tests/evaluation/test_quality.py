import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from quantlib.errors import QuantlibError
from quantlib.evaluation.quality import CONVENTION, left_out, luma, psnr_rgb, psnr_y, ssim_y


def pair(height=40, width=33, noise=12.0, seed=0):
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
    b = np.clip(a + rng.normal(0, noise, a.shape), 0, 255).astype(np.uint8)
    return a, b


@pytest.mark.parametrize("scale", [0, 2, 3, 4])
def test_psnr_against_a_loop(scale):
    a, b = pair(15, 13)
    total, count = 0.0, 0
    for y in range(scale, 15 - scale):
        for x in range(scale, 13 - scale):
            r, g, blue = (float(p) - float(q) for p, q in zip(a[y, x], b[y, x], strict=True))
            total += ((65.481 * r + 128.553 * g + 24.966 * blue) / 255) ** 2
            count += 1
    assert psnr_y(a, b, scale) == pytest.approx(10 * math.log10(255**2 * count / total), abs=1e-9)


@pytest.mark.parametrize("scale", [0, 3])
def test_psnr_of_rgb_against_scikit_image(scale):
    a, b = pair(15, 13)
    kept = np.s_[scale : 15 - scale, scale : 13 - scale]
    expected = peak_signal_noise_ratio(a[kept], b[kept], data_range=255)
    assert psnr_rgb(a, b, scale) == pytest.approx(expected, abs=1e-9)
    assert psnr_rgb(a, a, scale) == math.inf


@pytest.mark.parametrize("scale", [0, 2, 4])
@pytest.mark.parametrize("noise", [1.0, 15.0, 80.0])
def test_ssim_against_scikit_image(scale, noise):
    a, b = pair(noise=noise)
    inside = np.s_[scale : 40 - scale, scale : 33 - scale]
    result = structural_similarity(
        luma(a)[inside],
        luma(b)[inside],
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
        full=True,
    )
    assert ssim_y(a, b, scale) == pytest.approx(np.asarray(result[1])[5:-5, 5:-5].mean(), abs=1e-9)


def test_known_relations():
    a, b = pair()
    _, c = pair(noise=40.0)
    assert psnr_y(a, a, 2) == math.inf
    assert ssim_y(a, a, 2) == 1
    assert psnr_y(a, b, 2) == psnr_y(b, a, 2)
    assert ssim_y(a, b, 2) == pytest.approx(ssim_y(b, a, 2))
    assert psnr_y(a, b, 2) > psnr_y(a, c, 2)
    assert 1 > ssim_y(a, b, 2) > ssim_y(a, c, 2)
    black, white = np.zeros((20, 20, 3), np.uint8), np.full((20, 20, 3), 255, np.uint8)
    assert psnr_y(black, white, 1) == pytest.approx(20 * math.log10(255 / 219))


def test_the_border_does_not_count():
    a, b = pair(noise=0.0)
    b[:2] = b[-2:] = 0
    b[:, :2] = b[:, -2:] = 0
    assert psnr_y(a, b, 2) == math.inf
    assert psnr_y(a, b, 1) < math.inf


def test_too_small_pictures():
    a, b = pair(14, 30)
    assert not math.isnan(ssim_y(a, b, 1))
    assert math.isnan(ssim_y(a, b, 2))
    assert math.isnan(ssim_y(a, b, 9))
    with pytest.raises(QuantlibError, match="Nothing is left"):
        psnr_y(a, b, 7)


@pytest.mark.parametrize("measure", [psnr_y, psnr_rgb, ssim_y])
def test_pictures_that_cannot_be_compared(measure):
    a, b = pair()
    with pytest.raises(QuantlibError, match="one size"):
        measure(a, b[:-1], 2)
    with pytest.raises(QuantlibError, match="one size"):
        measure(a[..., 0], b[..., 0], 2)
    with pytest.raises(QuantlibError, match="uint8"):
        measure(a / 255, b, 2)
    with pytest.raises(QuantlibError, match="scale"):
        measure(a, b, -1)


def test_what_a_mean_is_taken_without():
    a, b = pair()
    assert left_out(a, b, 2) == ""
    assert "equals" in left_out(a, a, 2)
    for colour in (0, 90, (10, 200, 30)):
        flat = np.full_like(a, 0) + np.array(colour, np.uint8)
        assert "one colour" in left_out(a, flat, 2) and "one colour" in left_out(flat, flat, 2)
        assert left_out(flat, a, 2) == ""
        flat[:2] = a[:2]  # the border does not count
        assert "one colour" in left_out(a, flat, 2) and left_out(a, flat, 1) == ""
    assert "too small" in left_out(a[:1, :1], b[:1, :1], 2)
    assert "too small" in left_out(a[:4], b[:4], 2) and left_out(a[:5], b[:5], 2) == ""


def test_the_convention_is_one_line():
    assert "BT.601" in CONVENTION
    assert "\n" not in CONVENTION


def test_the_names_that_stay_fixed():
    from quantlib import evaluation

    assert (evaluation.psnr_y, evaluation.ssim_y) == (psnr_y, ssim_y)
