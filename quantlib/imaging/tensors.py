"""Pictures as arrays and as tensors."""

import numpy as np
import torch
from torch import Tensor


def to_tensor(rgb: np.ndarray) -> Tensor:
    """`uint8 (H, W, 3)` to `float32 (1, 3, H, W)` in [0, 1].

    >>> to_tensor(np.full((2, 4, 3), 255, np.uint8)).amax().item()
    1.0
    """
    return torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1)[None].float() / 255


def to_uint8(x: Tensor) -> np.ndarray:
    """`(1, 3, H, W)` in [0, 1] to `uint8 (H, W, 3)`, clipped and rounded.

    >>> to_uint8(torch.full((1, 3, 1, 1), 0.5)).tolist()
    [[[128, 128, 128]]]
    """
    return x[0].clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).cpu().numpy()
