"""Colours of any ICC profile in sRGB, and back."""

from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from quantlib.errors import QuantlibError

MAX_BYTES = 8_000_000
SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK"}
SRGB = ImageCms.createProfile("sRGB")
INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION
NEAR = 2  # levels between sRGB and what is sRGB by another maker
LIGHTER = 64  # levels at least from black to white


def in_srgb(image: Image.Image, profile: bytes | None, notes: list[str]) -> Image.Image:
    """A picture of mode L, RGB or CMYK in RGB; a profile that makes no sense is left out and noted.

    What is sRGB already keeps its very levels.
    """
    if profile is None:
        return image.convert("RGB")
    try:
        described = _opened(profile)
        space = _facts(described).xcolor_space.ljust(4)
        if image.mode == "L" and space == SPACES["RGB"]:
            image = image.convert("RGB")
        if SPACES[image.mode] != space:
            raise ImageCms.PyCMSError("made for other pictures")
        transform = ImageCms.buildTransform(described, SRGB, image.mode, "RGB", INTENT, FLAGS)
        _check(transform, image.mode)
        if image.mode != "CMYK" and _is_identity(transform, image.mode):
            return image.convert("RGB")
        converted = ImageCms.applyTransform(image, transform)
        assert converted is not None
    except Exception:  # whatever the damage led lcms to
        notes.append("damaged or unfitting colour profile ignored")
        return image.convert("RGB")
    notes.append(f"colour profile {_name(described)} converted to sRGB")
    return converted


def from_srgb(rgb: np.ndarray, profile: bytes) -> np.ndarray:
    """`uint8 (H, W, 3)` of sRGB in the colours of an RGB profile.

    Raises QuantlibError for a profile that pictures cannot be stored in.
    """
    try:
        transform = ImageCms.buildTransform(SRGB, _opened(profile), "RGB", "RGB", INTENT, FLAGS)
        if _is_identity(transform, "RGB"):
            return rgb
        converted = ImageCms.applyTransform(Image.fromarray(rgb), transform)
    except Exception as error:
        raise QuantlibError(
            "The colour profile holds no way back from sRGB; store the result without it."
        ) from error
    return np.array(converted)


def is_storable(profile: bytes | None) -> bool:
    """Whether a result can be stored in the colours of a profile."""
    try:
        return profile is not None and from_srgb(np.zeros((1, 1, 3), np.uint8), profile).size == 3
    except QuantlibError:
        return False


def _opened(profile: bytes) -> ImageCms.ImageCmsProfile:
    if len(profile) > MAX_BYTES:
        raise ImageCms.PyCMSError("larger than any profile")
    return ImageCms.ImageCmsProfile(BytesIO(profile))


def _facts(profile: ImageCms.ImageCmsProfile) -> Any:
    """lcms's view of a profile, which Pillow's stubs do not type."""
    return profile.profile


def _name(profile: ImageCms.ImageCmsProfile) -> str:
    words = " ".join((_facts(profile).profile_description or "").split())
    return "".join(c for c in words if c.isprintable())[:60] or "without a name"


def _check(transform: ImageCms.ImageCmsTransform, mode: str) -> None:
    """Raises PyCMSError where more light is not lighter: no picture was meant so."""
    ramp = np.arange(0, 256, 15, dtype=np.uint8)
    if mode == "CMYK":
        ink = np.zeros((len(ramp), 4), np.uint8)
        ink[:, 3] = ramp[::-1]
        image = Image.fromarray(ink[None], "CMYK")
    else:
        image = Image.fromarray(ramp[None]).convert(mode)
    levels = np.asarray(ImageCms.applyTransform(image, transform)).astype(int).sum(2)[0] / 3
    if (np.diff(levels) < -NEAR).any() or levels[-1] - levels[0] < LIGHTER:
        raise ImageCms.PyCMSError("no light in it")


def _is_identity(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether a transform leaves a grid of colours as it is, up to the makers' rounding."""
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    colours = np.stack(np.meshgrid(*[steps] * 3, indexing="ij"), -1).reshape(1, -1, 3)
    image = Image.fromarray(colours).convert(mode)
    converted = np.asarray(ImageCms.applyTransform(image, transform)).astype(int)
    return bool(abs(converted - np.asarray(image.convert("RGB"))).max() <= NEAR)
