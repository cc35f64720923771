"""How close an enlarged picture is to the original, as super-resolution papers measure it."""

import math

import numpy as np

from quantlib.errors import QuantlibError

CONVENTION = (
    "PSNR and SSIM on the Y channel (BT.601, limited range, not rounded), "
    "with as many border pixels left out as the scale says"
)
PEAK = 255.0
RADIUS, SIGMA = 5, 1.5
C1, C2 = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2


def luma(rgb: np.ndarray) -> np.ndarray:
    """Y of BT.601 in limited range, `float64 (H, W)` from 16 to 235, of `uint8 (H, W, 3)`.

    >>> luma(np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8)).round(9).tolist()
    [[16.0, 235.0]]
    """
    values = rgb.astype(np.float64, order="C")  # another order would round differently
    return values @ np.array([65.481, 128.553, 24.966]) / 255 + 16


def psnr_y(a: np.ndarray, b: np.ndarray, scale: int) -> float:
    """Peak signal-to-noise ratio in dB of two `uint8 (H, W, 3)`; equal pictures give infinity.

    `scale` pixels are left out on each side. Raises QuantlibError for pictures of different
    shapes or with nothing left.

    >>> a = np.full((8, 8, 3), 100, np.uint8)
    >>> round(psnr_y(a, a + np.uint8(1), scale=2), 2)
    49.45
    """
    return _psnr(*map(luma, _not_empty(a, b, scale)))


def psnr_rgb(a: np.ndarray, b: np.ndarray, scale: int) -> float:
    """The same over all three channels R, G and B, which weigh alike.

    >>> a = np.full((8, 8, 3), 100, np.uint8)
    >>> round(psnr_rgb(a, a + np.uint8(1), scale=2), 2)
    48.13
    """
    return _psnr(*(one.astype(np.float64) for one in _not_empty(a, b, scale)))


def ssim_y(a: np.ndarray, b: np.ndarray, scale: int) -> float:
    """Mean structural similarity of two `uint8 (H, W, 3)`, at most 1.

    A Gaussian window of 11 x 11 pixels with sigma 1.5, wherever it lies inside what `scale` pixels
    less on each side leave; not-a-number where it fits nowhere. Source: Wang, Bovik, Sheikh and
    Simoncelli (2004). Raises QuantlibError for pictures of different shapes.

    >>> a = np.arange(300, dtype=np.uint8).reshape(10, 10, 3).repeat(2, 0).repeat(2, 1)
    >>> ssim_y(a, a, scale=4)
    1.0
    >>> ssim_y(a, a, scale=5)
    nan
    """
    ya, yb = map(luma, inside(a, b, scale))
    if min(ya.shape) < 2 * RADIUS + 1:
        return math.nan
    mean_a, mean_b = _window(ya), _window(yb)
    variance_a = _window(ya * ya) - mean_a**2
    variance_b = _window(yb * yb) - mean_b**2
    covariance = _window(ya * yb) - mean_a * mean_b
    likeness = (2 * mean_a * mean_b + C1) * (2 * covariance + C2)
    likeness /= (mean_a**2 + mean_b**2 + C1) * (variance_a + variance_b + C2)
    return float(likeness.mean())


def left_out(result: np.ndarray, truth: np.ndarray, scale: int) -> str:
    """Why a mean over pictures is taken without this one; empty where it counts.

    A picture that is met exactly has infinite PSNR, and a truth of one colour one that says nothing
    about detail; either would outweigh all others. `scale` pixels are left out on each side.

    >>> flat = np.zeros((8, 8, 3), np.uint8)
    >>> left_out(flat + np.uint8(9), flat, scale=2)
    'its truth has one colour only'
    """
    made, known = map(luma, inside(result, truth, scale))
    if known.size == 0:
        return "it is too small without its border"
    if np.ptp(known) == 0:
        return "its truth has one colour only"
    return "its result equals its truth" if (made == known).all() else ""


def inside(a: np.ndarray, b: np.ndarray, scale: int) -> tuple[np.ndarray, np.ndarray]:
    """Both `uint8 (H, W, 3)` without `scale` pixels on each side, which may leave nothing.

    Raises QuantlibError for what cannot be compared.

    >>> [one.shape for one in inside(*[np.zeros((9, 5, 3), np.uint8)] * 2, scale=2)]
    [(5, 1, 3), (5, 1, 3)]
    """
    if a.shape != b.shape or a.ndim != 3 or a.shape[2] != 3:
        raise QuantlibError(
            f"Pictures to compare are both (H, W, 3), not {a.shape} and {b.shape}; "
            "cut them to one size."
        )
    if a.dtype != np.uint8 or b.dtype != np.uint8:
        raise QuantlibError(
            f"Pictures to compare are uint8, not {a.dtype} and {b.dtype}; round them first."
        )
    if scale < 0:
        raise QuantlibError(f"{scale} pixels cannot be left out; give a scale of 0 or more.")
    height, width = a.shape[:2]
    kept = np.s_[scale : max(scale, height - scale), scale : max(scale, width - scale)]
    return a[kept], b[kept]


def _not_empty(a: np.ndarray, b: np.ndarray, scale: int) -> tuple[np.ndarray, np.ndarray]:
    kept = inside(a, b, scale)
    if kept[0].size == 0:
        raise QuantlibError(
            f"Nothing is left of {a.shape[0]} x {a.shape[1]} pixels without {scale} on each side; "
            "compare larger pictures."
        )
    return kept


def _psnr(a: np.ndarray, b: np.ndarray) -> float:
    error = float(np.mean((a - b) ** 2))
    return math.inf if error == 0 else 10 * math.log10(PEAK**2 / error)


def _window(x: np.ndarray) -> np.ndarray:
    from scipy.ndimage import correlate1d  # slow to import

    taps = np.exp(-0.5 * (np.arange(-RADIUS, RADIUS + 1) / SIGMA) ** 2)
    taps /= taps.sum()
    x = correlate1d(correlate1d(x, taps, axis=0), taps, axis=1)
    return x[RADIUS:-RADIUS, RADIUS:-RADIUS]
