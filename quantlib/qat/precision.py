"""The dtype that a quantizer's result has."""

import torch
from torch import Tensor


def result_dtype(x: Tensor) -> torch.dtype:
    """Autocast's dtype where it is on, else that of `x`; `float64` stays as it is.

    >>> with torch.autocast("cpu", torch.bfloat16):
    ...     result_dtype(torch.ones(2)), result_dtype(torch.ones(2, dtype=torch.float64))
    (torch.bfloat16, torch.float64)
    """
    device = x.device.type
    if x.dtype == torch.float64 or not torch.is_autocast_enabled(device):
        return x.dtype
    return torch.get_autocast_dtype(device)
