"""What becomes of transparency, and of the colours under it, when a picture is enlarged."""

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt

from quantlib.imaging.resizing import resize

BAND = 256  # rows that are enlarged at once
REACH = 3  # rows above and below that Keys' kernel sees, and one more


def visible(rgb: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    """`uint8 (H, W, 3)` with the colour of the nearest visible pixel where `alpha` is 0.

    What lies there was never seen, and must not be mixed into the edge when the picture is
    enlarged.

    >>> visible(np.array([[[9, 9, 9], [200, 0, 0]]], np.uint8), np.array([[0, 255]])).tolist()
    [[[200, 0, 0], [200, 0, 0]]]
    """
    if alpha is None or alpha.all() or not alpha.any():
        return rgb
    nearest = distance_transform_edt(alpha == 0, return_distances=False, return_indices=True)
    rows, columns = np.asarray(nearest)
    return rgb[rows, columns]


def enlarged(alpha: np.ndarray | None, height: int, width: int) -> np.ndarray | None:
    """Transparency, `uint8 (H, W)`, in another size: bicubic, as the picture's reductions are."""
    if alpha is None:
        return None
    opacity = torch.from_numpy(alpha.copy())[None, None].float()
    return resize(opacity, height, width).round().clamp(0, 255).byte()[0, 0].numpy()


def enlarged_by(alpha: np.ndarray | None, scale: int) -> np.ndarray | None:
    """Transparency `scale` times as large, made in the memory of a band of rows.

    >>> enlarged_by(np.full((3, 2), 255, np.uint8), 4).shape
    (12, 8)
    """
    if alpha is None:
        return None
    height, width = alpha.shape
    made = np.empty((height * scale, width * scale), np.uint8)
    for top in range(0, height, BAND):
        rows = scale * top, scale * min(top + BAND, height)
        made[slice(*rows)] = enlarged_rows(alpha, scale, *rows)
    return made


def enlarged_rows(alpha: np.ndarray, scale: int, top: int, bottom: int) -> np.ndarray:
    """Rows `top` to `bottom`, both multiples of `scale`, of transparency `scale` times as large.

    >>> enlarged_rows(np.full((3, 2), 255, np.uint8), scale=2, top=2, bottom=6).shape
    (4, 4)
    """
    first, last = max(0, top // scale - REACH), min(len(alpha), bottom // scale + REACH)
    found = enlarged(alpha[first:last], (last - first) * scale, alpha.shape[1] * scale)
    assert found is not None
    return found[top - first * scale : bottom - first * scale]
