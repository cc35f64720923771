import numpy as np
import pytest
import torch

from quantlib.imaging.resizing import BAND, downscale, shrunk, upscale
from quantlib.imaging.tensors import to_tensor, to_uint8


def keys_cubic(x: np.ndarray) -> np.ndarray:
    x = np.abs(x)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0))


def imresize_weights(size: int, scale: int) -> np.ndarray:
    """Rows of output weights as MATLAB's imresize(x, 1/scale, 'bicubic') defines them."""
    out = size // scale
    weights = np.zeros((out, size))
    for i in range(out):
        centre = (i + 0.5) * scale - 0.5
        first = int(np.floor(centre - 2 * scale))
        taps = np.arange(first, first + 4 * scale + 2)
        row = keys_cubic((taps - centre) / scale) / scale
        row /= row.sum()
        mirror = np.concatenate([np.arange(size), np.arange(size)[::-1]])
        np.add.at(weights[i], mirror[taps % (2 * size)], row)
    return weights


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_downscale_is_imresize_in_the_interior(scale):
    height, width = 20 * scale, 24 * scale
    x = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(scale)).double()
    rows, columns = imresize_weights(height, scale), imresize_weights(width, scale)
    expected = np.clip(rows @ x.numpy() @ columns.T, 0, 1)
    got = downscale(x, scale).numpy()
    np.testing.assert_allclose(got[..., 2:-2, 2:-2], expected[..., 2:-2, 2:-2], atol=1e-6)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_sizes_and_range(scale):
    x = torch.rand(2, 3, 13, 30)
    low = downscale(x, scale)
    assert low.shape == (2, 3, 13 // scale, 30 // scale)
    high = upscale(low, scale)
    assert high.shape == (2, 3, 13 // scale * scale, 30 // scale * scale)
    assert 0 <= high.min() <= high.max() <= 1


def test_flat_stays_flat():
    flat = torch.full((1, 3, 12, 16), 0.3)
    torch.testing.assert_close(downscale(flat, 4), torch.full((1, 3, 3, 4), 0.3))
    torch.testing.assert_close(upscale(flat, 2), torch.full((1, 3, 24, 32), 0.3))


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_bands_of_rows_make_the_whole_reduction(scale):
    side = (2 * BAND + 5) * scale + 1
    rgb = np.random.default_rng(3).integers(0, 256, (side, 5 * scale + 1, 3), np.uint8)
    np.testing.assert_array_equal(shrunk(rgb, scale), to_uint8(downscale(to_tensor(rgb), scale)))
