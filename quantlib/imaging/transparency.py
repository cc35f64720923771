"""Transparency, as channels, palettes and keys state it in files."""

import numpy as np
from PIL import Image


def split(image: Image.Image) -> tuple[Image.Image, np.ndarray | None]:
    """A picture of 8 bits in mode L, RGB or CMYK, and its alpha channel, `uint8 (H, W)`, if any."""
    if image.has_transparency_data:
        if image.mode == "LA":
            return image.getchannel("L"), np.array(image.getchannel("A"))
        rgba = image.convert("RGBA")
        return rgba.convert("RGB"), np.array(rgba.getchannel("A"))
    if image.mode in ("L", "RGB", "CMYK"):
        return image, None
    return image.convert("L" if image.mode == "1" else "RGB"), None


def keyed(samples: np.ndarray, key: tuple[int, ...]) -> np.ndarray:
    """Alpha `uint8 (H, W)` of samples `(H, W)` or `(H, W, 3)`: 0 for the one colour of the key.

    >>> keyed(np.array([[5, 3, 5]]), (5,)).tolist()
    [[0, 255, 0]]
    """
    samples = samples.reshape(*samples.shape[:2], -1)
    differs = np.zeros(samples.shape[:2], bool)
    for channel, value in enumerate(key):
        differs |= samples[..., channel] != value
    return differs.view(np.uint8) * np.uint8(255)
