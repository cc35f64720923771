"""A part of a picture that is looked at, as it stands in an address."""

from dataclasses import dataclass
from typing import Any

import numpy as np

LARGEST = 1_000_000  # pixels along a picture


@dataclass(frozen=True)
class Region:
    """A rectangle in pixels of a picture; (x, y) is its top left corner.

    >>> Region.of("20,10,64,48").text
    '20,10,64,48'
    >>> Region.of("20,10,0,48") is None, Region.of("nan,1,2,3") is None
    (True, True)
    """

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def of(cls, text: str) -> "Region | None":
        """Takes "x,y,w,h"; None for what is no rectangle with pixels in it."""
        parts = text.split(",")
        if not all(part.isascii() and part.isdigit() and len(part) < 8 for part in parts):
            return None
        return cls.of_numbers([int(part) for part in parts])

    @classmethod
    def of_numbers(cls, numbers: Any) -> "Region | None":
        """Takes what a browser sent for [x, y, w, h]."""
        match numbers:
            case [int(x), int(y), int(width), int(height)] if (
                min(x, y) >= 0 and min(width, height) > 0 and max(numbers) <= LARGEST
            ):
                return cls(x, y, width, height)
        return None

    @classmethod
    def middle(cls, width: int, height: int, side: int) -> "Region":
        """The middle of a picture, at most `side` pixels a side.

        >>> Region.middle(1000, 30, side=100)
        Region(x=450, y=0, width=100, height=30)
        """
        return cls(0, 0, width, height).limited(side)

    @property
    def text(self) -> str:
        return f"{self.x},{self.y},{self.width},{self.height}"

    def fits(self, width: int, height: int) -> bool:
        """Whether it lies inside a picture."""
        return self.x + self.width <= width and self.y + self.height <= height

    def limited(self, side: int) -> "Region":
        """Cut around its middle to at most `side` pixels a side.

        >>> Region(10, 10, 80, 20).limited(40)
        Region(x=30, y=10, width=40, height=20)
        """
        width, height = min(self.width, side), min(self.height, side)
        x = self.x + (self.width - width) // 2
        y = self.y + (self.height - height) // 2
        return Region(x, y, width, height)

    def times(self, scale: int) -> "Region":
        """The same part of a picture `scale` times as large."""
        return Region(*(scale * value for value in (self.x, self.y, self.width, self.height)))

    def cut(self, pixels: np.ndarray) -> np.ndarray:
        """That part of `(H, W, ...)`, as an array of its own."""
        rows = slice(self.y, self.y + self.height)
        return np.ascontiguousarray(pixels[rows, self.x : self.x + self.width])
