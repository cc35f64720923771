"""Labelled pictures from the Hub's parquet files, and from one PNG with a picture in every row."""

import json
from pathlib import Path
from typing import BinaryIO

import numpy as np

from quantlib.datasets.labelled import CIFAR10_CLASSES, LabelledPictures
from quantlib.datasets.parquet_table import MAX_ROWS, PictureTable
from quantlib.errors import QuantlibError
from quantlib.files import opened_file
from quantlib.imaging.files import read_picture_file
from quantlib.imaging.reading import opened, read_picture

MAX_PIXELS_IN_ALL = 100_000_000


def read_parquet_file(path: Path, limit: int | None = None) -> LabelledPictures:
    """The first `limit` pictures, or all, of the file at `path`, as `read_parquet` reads them."""
    with opened_file(path) as file:
        return read_parquet(file, path.name, limit)


def read_parquet(
    source: bytes | BinaryIO,
    name: str,
    limit: int | None = None,
    picture: str = "img",
    label: str = "label",
    classes: tuple[str, ...] = CIFAR10_CLASSES,
    max_pixels: int = MAX_PIXELS_IN_ALL,
) -> LabelledPictures:
    """The first `limit` pictures, or all, of a data set as the Hugging Face Hub stores it.

    `source` are the bytes of a file called `name`, or it opened. Column `picture` is a struct with
    the `bytes` of a picture file each, `label` an integer. There are at most 100,000 pictures, and
    `max_pixels` pixels in all of them; what is more is not decoded.
    Raises a `QuantlibError` where pyarrow is missing, for a file that is no such table, for one
    beyond these bounds and for pictures of different sizes.
    """
    table = PictureTable(opened(source, name), name, picture, label)
    count = table.count if limit is None else min(limit, table.count)
    if count > MAX_ROWS:
        raise QuantlibError(f"{name} holds {count:,} pictures; read at most {MAX_ROWS:,} of them.")
    rgb, numbers, at = np.empty((count, 1, 1, 3), np.uint8), np.empty(count, np.int64), 0
    for file, number in table.rows(count):
        decoded = read_picture(file, f"Row {at} of {name}").rgb
        if at == 0:
            rgb = _room(count, decoded.shape, name, max_pixels)
        elif decoded.shape != rgb.shape[1:]:
            raise QuantlibError(
                f"The pictures in {name} have different sizes; choose a data set of one size."
            )
        rgb[at], numbers[at] = decoded, number
        at += 1
    if at < count:
        raise QuantlibError(f"{name} ends after {at:,} of {count:,} pictures; download it again.")
    return LabelledPictures(rgb, numbers, classes)


def _room(count: int, shape: tuple[int, ...], name: str, max_pixels: int) -> np.ndarray:
    """Where `count` pictures of a `shape` go, if they have no more pixels than `max_pixels`."""
    if count * shape[0] * shape[1] > max_pixels:
        raise QuantlibError(
            f"{name} holds {count:,} pictures of {shape[1]}×{shape[0]} pixels, above the limit of "
            f"{max_pixels:,} pixels in all; read fewer of them."
        )
    return np.empty((count, *shape), np.uint8)


def read_rows(
    picture: Path,
    labels: Path,
    first: int = 0,
    side: int = 32,
    classes: tuple[str, ...] = CIFAR10_CLASSES,
) -> LabelledPictures:
    """One PNG of `(N, side², 3)` whose row i is picture i, and JSON `{"labels": [...]}` beside it.

    The form of ml4a's CIFAR-10; the label of row i is number `first` + i of the list.
    """
    rows = read_picture_file(picture).rgb
    if rows.shape[1] != side**2:
        raise QuantlibError(
            f"{picture.name} is {rows.shape[1]} pixels wide, not {side**2}; choose a file with a "
            f"picture of {side}×{side} pixels in every row."
        )
    try:
        numbers = np.array(json.loads(labels.read_text("utf-8"))["labels"], dtype=np.int64)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise QuantlibError(
            f"{labels.name} does not hold a list of labels; choose the JSON file of the data set."
        ) from error
    rgb = rows.reshape(-1, side, side, 3)
    return LabelledPictures(rgb, numbers[first : first + len(rgb)], classes)
