"""Pictures of strangers, decoded in a process of its own that hands back raw pixels."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from quantlib.apart.message import Buffer, Message, Say
from quantlib.apart.running import Limits, Watch, run_apart, unwatched
from quantlib.imaging.encoding import picture_bytes
from quantlib.imaging.reading import MAX_PIXELS, Picture, read_picture

LIMITS = Limits(seconds=60, megabytes=1000, answer=5 * MAX_PIXELS)
ADVICE = "choose or cut a smaller one"
THUMBNAIL, QUALITY = 480, 85  # pixels of the longer side, of a JPEG


@dataclass(frozen=True, eq=False)
class Decoded:
    """A picture, and a small JPEG of it."""

    picture: Picture
    thumbnail: bytes


def decode_apart(content: bytes, name: str, watch: Watch = unwatched) -> Decoded:
    """The picture in the bytes of a file, as `read_picture` reads it."""
    request = Message({"name": name}, (content,))
    values, (rgb, alpha, profile, thumbnail) = run_apart(
        decode, request, LIMITS, name or "The picture", ADVICE, watch
    )
    height, width = values["height"], values["width"]
    picture = Picture(
        pixels(rgb, height, width, 3),
        pixels(alpha, height, width) if values["alpha"] else None,
        name,
        tuple(map(str, values["notes"])),
        bytes(profile) if values["profile"] else None,
    )
    return Decoded(picture, bytes(thumbnail))


def decode(request: Message, say: Say) -> Message:
    """What is done apart."""
    picture = read_picture(bytes(request.buffers[0]), request.values["name"])
    height, width = picture.rgb.shape[:2]
    small = Image.fromarray(picture.rgb)
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    values: dict[str, Any] = {
        "height": height,
        "width": width,
        "notes": picture.notes,
        "alpha": picture.alpha is not None,
        "profile": picture.profile is not None,
    }
    parts = (
        raw(picture.rgb),
        raw(picture.alpha) if picture.alpha is not None else b"",
        picture.profile or b"",
        picture_bytes(np.asarray(small), ".jpg", quality=QUALITY),
    )
    return Message(values, parts)


def raw(array: np.ndarray) -> memoryview:
    """The bytes of an array, row after row."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def pixels(buffer: Buffer, *shape: int, dtype: type = np.uint8) -> np.ndarray:
    """The array of `shape` in its bytes; a ValueError where there are fewer or more.

    >>> pixels(raw(np.ones((2, 3), np.int64)), 2, 3, dtype=np.int64).sum()
    np.int64(6)
    """
    return np.frombuffer(buffer, dtype).reshape(shape)
