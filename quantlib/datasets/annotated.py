"""Pictures of one size with the class of every pixel, and CamVid's folders."""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from unicodedata import normalize

import numpy as np

from quantlib.errors import QuantlibError
from quantlib.imaging.containers import png
from quantlib.imaging.decoding import decode, samples, take_apart
from quantlib.imaging.files import read_picture_file
from quantlib.imaging.folders import picture_files
from quantlib.imaging.reading import MAX_PIXELS, read_bytes

CAMVID_CLASSES = (
    *("sky", "building", "pole", "road", "pavement", "tree"),
    *("sign", "fence", "car", "pedestrian", "bicyclist"),
)


@dataclass(frozen=True, eq=False)
class AnnotatedPictures:
    """`rgb` is `uint8 (N, H, W, 3)`; `labels`, `uint8 (N, H, W)`, index `classes`.

    The label `void`, one above the last class, is where nothing is known.

    >>> rgb, labels = np.zeros((2, 4, 6, 3), np.uint8), np.full((2, 4, 6), 11, np.uint8)
    >>> pictures = AnnotatedPictures(rgb, labels)
    >>> len(pictures), pictures.void
    (2, 11)
    """

    rgb: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...] = CAMVID_CLASSES

    def __post_init__(self) -> None:
        if self.rgb.dtype != np.uint8 or self.rgb.ndim != 4 or self.rgb.shape[3] != 3:
            raise QuantlibError(
                f"Annotated pictures are uint8 (N, H, W, 3), not {self.rgb.dtype} "
                f"{self.rgb.shape}; convert them first."
            )
        if self.labels.dtype != np.uint8 or self.labels.shape != self.rgb.shape[:3]:
            raise QuantlibError(
                f"Pictures of {self.rgb.shape[:3]} need a uint8 label for every pixel, not "
                f"{self.labels.dtype} {self.labels.shape}; choose annotations of the same pictures."
            )
        if self.labels.size and self.labels.max() > self.void:
            raise QuantlibError(
                f"A label is {self.labels.max()}, but the {len(self.classes)} classes are numbered "
                f"from 0 and {self.void} is void; choose annotations of the same data set."
            )

    @property
    def void(self) -> int:
        return len(self.classes)

    def __len__(self) -> int:
        return len(self.rgb)

    def __getitem__(self, chosen: slice) -> "AnnotatedPictures":
        return AnnotatedPictures(self.rgb[chosen], self.labels[chosen], self.classes)


def read_annotated(
    pictures: Path, annotations: Path, classes: tuple[str, ...] = CAMVID_CLASSES
) -> AnnotatedPictures:
    """The pictures of one folder with the PNG of the same name in another, as CamVid comes.

    An annotation holds the number of the class at every pixel, as a grey or indexed picture.
    """
    files = _by_stem(pictures)
    labels = _by_stem(annotations)
    if not files:
        raise QuantlibError(f"There are no pictures in {pictures}; choose CamVid's folder.")
    if missing := sorted(files.keys() - labels.keys()):
        raise QuantlibError(
            f"{missing[0]} in {pictures.name} has no annotation in {annotations.name}; add it."
        )
    rgb = [read_picture_file(files[stem]).rgb for stem in sorted(files)]
    numbers = [_read_annotation_file(labels[stem]) for stem in sorted(files)]
    if len({side.shape for side in rgb}) > 1 or len({side.shape for side in numbers}) > 1:
        raise QuantlibError(
            f"The pictures in {pictures.name} have different sizes; choose a data set of one size."
        )
    return AnnotatedPictures(np.stack(rgb), np.stack(numbers), classes)


def read_camvid(folder: Path, split: str = "test") -> AnnotatedPictures:
    """ "train" or "test" of a folder with `train`, `trainannot`, `test`, `testannot`."""
    return read_annotated(folder / split, folder / f"{split}annot")


def _by_stem(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise QuantlibError(f"There is no folder {folder}; choose CamVid's folder.")
    return {normalize("NFC", path.stem): path for path in picture_files(folder)}


def _read_annotation_file(path: Path) -> np.ndarray:
    try:
        with path.open("rb") as file:
            return read_annotation(file, path.name)
    except OSError as error:
        raise QuantlibError(
            f"{path} cannot be read ({error.strerror}); check the path and its permissions."
        ) from None


def read_annotation(
    source: bytes | BinaryIO, name: str = "The annotation", max_pixels: int = MAX_PIXELS
) -> np.ndarray:
    """The number of the class at every pixel, `uint8 (H, W)`, of a grey or indexed PNG.

    Raises a `QuantlibError` for what is no PNG, damaged, larger than `max_pixels`, or a picture in
    colour.

    >>> read_annotation(b"no picture", "street.png")
    Traceback (most recent call last):
    quantlib.errors.QuantlibError: street.png is no PNG file or is damaged; choose another.
    """
    data = read_bytes(source, name)
    wrong = QuantlibError(f"{name} is no PNG file or is damaged; choose another.")
    if not data.startswith(png.SIGNATURE):
        raise wrong
    parts = take_apart(data, name, max_pixels)
    try:
        image = decode(parts)
        numbers = samples(parts, image)
    except Exception as error:  # decoders raise whatever the damage led them to
        raise wrong from error
    if numbers.ndim != 2 or numbers.dtype != np.uint8:
        raise QuantlibError(
            f"{name} does not hold one number per pixel; choose an annotation, not a picture."
        )
    return numbers.copy()
