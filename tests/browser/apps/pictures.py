"""The generated pictures of the viewer's page, for the page and for those who judge it."""

import numpy as np

ALT = "Noise"
NAMES = ("FP32 <b>&</b>", "4 bits", "3 bits", "2 bits", "Bicubic", "A name of some length")


def noise(number: int, series: int, height: int, width: int) -> np.ndarray:
    """uint8 (height, width, 3) whose values no rounding can hide."""
    chosen = np.random.default_rng([number, series])
    return chosen.integers(0, 256, (height, width, 3), np.uint8)
