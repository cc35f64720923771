"""How a picture stands, as its EXIF or XMP data say."""

import re

from PIL import Image

ORIENTATION = 0x0112
XMP_ORIENTATION = re.compile(rb'tiff:Orientation(?:="|>)([1-8])')


def orientation_in(exif: bytes, xmp: bytes = b"") -> tuple[int, tuple[str, ...]]:
    """EXIF's number, 1 for upright, and a note where the data cannot be read.

    >>> orientation_in(b"", b'<rdf:Description tiff:Orientation="6"/>')
    (6, ())
    """
    try:
        tags = Image.Exif()
        tags.load(exif)
        stated = tags.get(ORIENTATION)
    except Exception:  # unreadable metadata do not spoil readable pixels
        return 1, ("unreadable EXIF data ignored",)
    if stated is None and (found := XMP_ORIENTATION.search(xmp)):
        return int(found[1]), ()
    return stated if isinstance(stated, int) and 1 <= stated <= 8 else 1, ()
