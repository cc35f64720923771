"""φ_k, the transform that RLQ embeds in every quantization interval (QuantSR, section 3.2).

round(φ_k(x)) = round(x): what is computed forward does not change. The derivative φ_k' stands in
for that of rounding; its mean over an interval is 1, and k → 0 gives the straight-through
estimator, φ_0(x) = x.
"""

import math
from functools import cache

import numpy as np
import torch
from numpy.polynomial import Chebyshev, Polynomial
from torch import Tensor

from quantlib.qat.fused import constant_result

MOST_TERMS = 10


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

    In less than double precision an even polynomial in f-½ gives the same to 1e-7, where few terms
    are enough: exponentials would be the larger part of a backward pass.

    >>> phi_slope(torch.tensor([0.0, 0.5]), 1.0)
    tensor([0.8509, 1.0820])
    """
    if k == 0:
        return torch.ones_like(x)
    t = x - x.floor() - 0.5
    series = () if x.dtype == torch.float64 else slope_series(k)
    if not series:
        e = torch.exp(2 * k * t)
        return (2 * k / math.tanh(k / 2)) * e / (e + 1) ** 2
    square = t * t
    slope = torch.full_like(square, series[-1])
    for coefficient in series[-2::-1]:
        slope = slope * square + coefficient
    return slope


@constant_result
def slope_series(k: float) -> tuple[float, ...]:
    """Coefficients of (f-½)⁰, (f-½)², … that give φ_k' to 1e-7; none where these are many.

    >>> len(slope_series(1.0)), slope_series(8.0)
    (6, ())
    """
    return _slope_series(k)


@cache
def _slope_series(k: float) -> tuple[float, ...]:
    def slope(square: np.ndarray) -> np.ndarray:
        return k / (2 * np.tanh(k / 2) * np.cosh(k * np.sqrt(square)) ** 2)

    squares = np.linspace(0, 0.25, 1001)
    for degree in range(1, MOST_TERMS):
        series = Chebyshev.interpolate(slope, degree, (0, 0.25))
        if np.allclose(series(squares), slope(squares), rtol=1e-7, atol=0):
            return tuple(float(c) for c in series.convert(kind=Polynomial).coef)
    return ()
