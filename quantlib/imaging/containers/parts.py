"""What a picture file is made of: what its decoder needs, and what is said about the picture."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Parts:
    """A picture file without what damage in it must not spoil.

    `pixels` is a file of `format`, Pillow's name, with nothing but what its decoder needs. It has
    `width` by `height` pixels, the `largest` piece of it that is decoded at once perhaps more, and
    `depth` bits per sample, which are `inverted` where the decoder leaves 0 white; a decoder goes
    over it `passes` times. `key` are the samples of the colour that is transparent, `orientation`
    is EXIF's, 1 for upright, and `profile` an ICC profile.
    """

    format: str
    pixels: bytes
    width: int
    height: int
    depth: int = 8
    inverted: bool = False
    key: tuple[int, ...] | None = None
    passes: int = 1
    largest: int = 0
    frames: int = 1
    orientation: int = 1
    profile: bytes | None = None
    notes: tuple[str, ...] = ()


class RefusedError(Exception):
    """A file that a decoder does not know or would spend too long on: words to follow its name."""


def at_most(count: int, limit: int, what: str) -> None:
    """Raises RefusedError for more than `limit` of something."""
    if count > limit:
        raise RefusedError(f"has more than {limit:,} {what}; save it again without them.")
