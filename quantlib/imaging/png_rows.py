"""A PNG file written from top to bottom, for pictures that are never held as a whole."""

import struct
import zlib
from typing import BinaryIO

import numpy as np

from quantlib.imaging.containers.png import SIGNATURE

LEVEL = 3  # of zlib, as in `encoding`
AT_ONCE = 64  # rows that are filtered at once
RGB, RGBA = 2, 6  # PNG's colour types
PAETH = 4  # PNG's filter type: the one that suits photographs


class PngRows:
    """Writes `uint8 (H, W, 3)`, or `(H, W, 4)` with transparency, to an open file, band by band.

    The ICC `profile` is stored as it is: the rows have to be in its colours.

    >>> from io import BytesIO
    >>> png = PngRows(file := BytesIO(), width=2, height=3, transparent=False)
    >>> for rows in (np.zeros((1, 2, 3), np.uint8), np.ones((2, 2, 3), np.uint8)):
    ...     png.add(rows)
    >>> png.end()
    >>> file.getvalue()[1:4]
    b'PNG'
    """

    def __init__(
        self,
        file: BinaryIO,
        width: int,
        height: int,
        transparent: bool,
        profile: bytes | None = None,
    ) -> None:
        self._file = file
        self._left = height
        self._above = np.zeros((1, width, 4 if transparent else 3), np.uint8)
        self._zlib = zlib.compressobj(LEVEL)
        file.write(SIGNATURE)
        colour = RGBA if transparent else RGB
        self._chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0))
        if profile is not None:
            self._chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(profile))

    def add(self, band: np.ndarray) -> None:
        """The next rows, from top to bottom; ValueError where they do not belong to the picture."""
        if band.dtype != np.uint8 or band.shape[1:] != self._above.shape[1:]:
            raise ValueError(f"rows of {self._above.shape[1:]} were announced, not {band.shape}")
        if len(band) > self._left:
            raise ValueError("more rows than were announced")
        self._left -= len(band)
        for top in range(0, len(band), AT_ONCE):
            rows = band[top : top + AT_ONCE]
            data = self._zlib.compress(_filtered(rows, self._above))
            self._above = rows[-1:].copy()
            if data:
                self._chunk(b"IDAT", data)

    def end(self) -> None:
        """After the last row."""
        if self._left:
            raise ValueError(f"{self._left} rows are missing")
        self._chunk(b"IDAT", self._zlib.flush())
        self._chunk(b"IEND", b"")

    def _chunk(self, name: bytes, body: bytes) -> None:
        self._file.write(struct.pack(">I", len(body)) + name + body)
        self._file.write(struct.pack(">I", zlib.crc32(name + body)))


def _filtered(rows: np.ndarray, above: np.ndarray) -> bytes:
    """Each row by Paeth's filter, what is predicted from its neighbours taken off."""
    upper = np.concatenate([above, rows[:-1]]).astype(np.int16)
    left, corner = _moved_right(rows.astype(np.int16)), _moved_right(upper)
    to_left, to_upper = np.abs(upper - corner), np.abs(left - corner)
    to_corner = np.abs(left + upper - 2 * corner)
    predicted = np.where(to_upper <= to_corner, upper, corner)
    predicted = np.where((to_left <= to_upper) & (to_left <= to_corner), left, predicted)
    difference = rows - predicted.astype(np.uint8)  # modulo 256
    kinds = np.full((len(rows), 1), PAETH, np.uint8)
    return np.hstack([kinds, difference.reshape(len(rows), -1)]).tobytes()


def _moved_right(rows: np.ndarray) -> np.ndarray:
    """What stands to the left of every pixel, 0 at the border."""
    moved = np.zeros_like(rows)
    moved[:, 1:] = rows[:, :-1]
    return moved
