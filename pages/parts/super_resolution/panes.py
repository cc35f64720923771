"""Results as the viewer takes them, and under the names that they are downloaded by."""

from functools import lru_cache
from pathlib import PurePath

from pages.parts.figures.viewer import Pane
from pages.parts.super_resolution.pictures import Subject
from quantlib.imaging.reading import png_bytes
from quantlib.tasks.naming import result_stem
from quantlib.tasks.super_resolution import Measurement


def pane_of(name: str, made: Measurement, timed: bool = False) -> Pane:
    """A result with what is known of it; its time only where it is `timed`."""
    size, seconds = made.ledger.total.total, made.seconds if timed else None
    return Pane(name, png_of(made), made.psnr_y, made.ssim_y, size, seconds)


@lru_cache(maxsize=64)
def png_of(made: Measurement) -> bytes:
    """The result as PNG data, encoded once."""
    return png_bytes(made.rgb)


def stem_of(picture: Subject, scale: int) -> str:
    """What names of files about a picture begin with: `photo-x2`, of a part `photo-region-x2`."""
    part = "" if picture.whole is None else "-region"
    return result_stem(f"{PurePath(picture.source).stem}{part}.png", scale)
