"""How the file of a result is called, wherever it is written or downloaded."""

import re
from pathlib import PurePath

from quantlib.ptq import Settings

LONGEST = 100  # characters of the picture's name


def result_stem(picture: str, scale: int) -> str:
    """What names of files about a picture begin with, without folders.

    >>> result_stem("holiday/my photo.jpg", 2)
    'my-photo-x2'
    """
    title = re.sub(r"[^\w-]+", "-", PurePath(picture).stem).strip("-")[:LONGEST] or "picture"
    return f"{title}-x{scale}"


def result_name(picture: str, scale: int, settings: Settings) -> str:
    """Picture, scale and settings in few letters, as the name of a PNG file in any folder.

    >>> result_name("holiday/my photo.jpg", 2, Settings("dqa", 3))
    'my-photo-x2-dqa-n3m3r40.png'
    >>> result_name("../..", 4, Settings("fp32"))
    'picture-x4-fp32.png'
    """
    return f"{result_stem(picture, scale)}-{settings.letters}.png"
