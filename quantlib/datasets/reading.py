"""Labelled pictures from the Hub's parquet files, and from one PNG with a picture in every row."""

import json
from pathlib import Path
from typing import BinaryIO

import numpy as np

from quantlib.datasets.labelled import CIFAR10_CLASSES, LabelledPictures
from quantlib.errors import QuantlibError
from quantlib.imaging.files import read_picture_file
from quantlib.imaging.reading import opened, read_picture


def read_parquet_file(path: Path, limit: int | None = None) -> LabelledPictures:
    """The first `limit` pictures, or all, of the file at `path`, as `read_parquet` reads them."""
    try:
        with path.open("rb") as file:
            return read_parquet(file, path.name, limit)
    except FileNotFoundError:
        raise QuantlibError(f"There is no file {path}; check the path.") from None
    except OSError as error:
        raise QuantlibError(
            f"{path} cannot be read ({error.strerror}); check the path and its permissions."
        ) from None


def read_parquet(
    source: bytes | BinaryIO,
    name: str,
    limit: int | None = None,
    picture: str = "img",
    label: str = "label",
    classes: tuple[str, ...] = CIFAR10_CLASSES,
) -> LabelledPictures:
    """The first `limit` pictures, or all, of a data set as the Hugging Face Hub stores it.

    `source` are the bytes of a file called `name`, or it opened. Column `picture` is a struct with
    the `bytes` of a PNG or JPEG file each, `label` an integer.
    Raises a `QuantlibError` where pyarrow is missing, for a file that is no such table and for
    pictures of different sizes.
    """
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise QuantlibError(
            "Reading a parquet file needs pyarrow; install it with `pip install pyarrow`."
        ) from None
    try:
        table = parquet.read_table(opened(source, name), columns=[picture, label]).slice(0, limit)
        rows, labels = table[picture].to_pylist(), table[label].to_pylist()
        files = [row["bytes"] for row in rows]
        numbers = np.array(labels, dtype=np.int64)
    except (ArrowException, KeyError, TypeError, ValueError, OSError) as error:
        raise QuantlibError(
            f"{name} is no table with pictures in {picture} and labels in {label}; choose "
            "the parquet file of a picture data set."
        ) from error
    decoded = [read_picture(file, f"Row {at} of {name}").rgb for at, file in enumerate(files)]
    if len({rgb.shape for rgb in decoded}) > 1:
        raise QuantlibError(
            f"The pictures in {name} have different sizes; choose a data set of one size."
        )
    rgb = np.stack(decoded) if decoded else np.empty((0, 1, 1, 3), np.uint8)
    return LabelledPictures(rgb, numbers, classes)


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
