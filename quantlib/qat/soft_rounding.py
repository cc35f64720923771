"""φ_k, the transform that RLQ embeds in every quantization interval (QuantSR, section 3.2).

round(φ_k(x)) = round(x): what is computed forward does not change. The derivative φ_k' stands in
for that of rounding; its mean over an interval is 1, and k → 0 gives the straight-through
estimator, φ_0(x) = x.
"""

import math

import torch
from torch import Tensor


def phi(x: Tensor, k: float) -> Tensor:
    """φ_k(x) = ⌊x⌋ + ½ + tanh(k(f-½)) / (2 tanh(k/2)) with f = x - ⌊x⌋, any shape.

    >>> x = torch.tensor([0.2, 0.8])
    >>> phi(x, 2.0).round() == x.round()
    tensor([True, True])
    """
    if k == 0:
        return x
    whole = x.floor()
    return whole + 0.5 + torch.tanh(k * (x - whole - 0.5)) / (2 * math.tanh(k / 2))


def phi_slope(x: Tensor, k: float) -> Tensor:
    """φ_k'(x) = k sech²(k(f-½)) / (2 tanh(k/2)), any shape.

    >>> phi_slope(torch.tensor([0.0, 0.5]), 1.0)
    tensor([0.8509, 1.0820])
    """
    if k == 0:
        return torch.ones_like(x)
    e = torch.exp(2 * k * (x - x.floor() - 0.5))
    return (2 * k / math.tanh(k / 2)) * e / (e + 1) ** 2
