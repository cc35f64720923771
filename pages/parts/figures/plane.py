"""One channel as a grey picture."""

import numpy as np
from torch import Tensor

from quantlib.imaging.reading import png_bytes

SIDE = 256


def plane_png(plane: Tensor) -> bytes:
    """PNG data of `(H, W)`: the lowest value black, the highest white, in whole enlarged pixels."""
    plane = plane.float()
    low, high = plane.min(), plane.max()
    grey = ((plane - low) / (high - low).clamp_min(1e-12) * 255).round().byte().numpy()
    factor = max(1, SIDE // max(grey.shape))
    grey = grey.repeat(factor, 0).repeat(factor, 1)
    return png_bytes(np.repeat(grey[:, :, None], 3, 2))
