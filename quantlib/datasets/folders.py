"""CIFAR-10 in a folder, and the digits of scikit-learn."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from quantlib.datasets.labelled import LabelledPictures
from quantlib.datasets.reading import read_parquet_file, read_rows
from quantlib.errors import QuantlibError
from quantlib.imaging.folders import files_in

TABLE = re.compile(r"(train|test)-.*?( ?\(\d+\))?")
BATCH = re.compile(r"cifar10_batch_(\d+)( ?\(\d+\))?")
TEST_BATCH = 50
ROWS = 1000
DIGITS = tuple("0123456789")
FIRST_TEST_DIGIT = 1297
BRIGHTEST = 16


def read_cifar10(folder: Path, split: str = "test") -> LabelledPictures:
    """ "train" or "test" of CIFAR-10 in `folder`, in one of two forms.

    Either the Hub's parquet files (`train-*.parquet`, `test-*.parquet`), or ml4a's
    `cifar10_batch_K.png` with `cifar10_labels.json`: K below 50 are training pictures.
    """
    tables = _named(TABLE, files_in(folder, (".parquet",), below=True))
    if tables := [path for match, path in tables if match[1] == split]:
        return joined([read_parquet_file(table) for table in tables])
    batches = {int(match[1]): path for match, path in _named(BATCH, files_in(folder, (".png",)))}
    chosen = [k for k in sorted(batches) if (k < TEST_BATCH) == (split == "train")]
    if not chosen:
        raise QuantlibError(
            f"{folder} holds no {split} pictures of CIFAR-10; choose a folder with the Hub's "
            "parquet files or with ml4a's cifar10_batch_K.png."
        )
    labels = folder / "cifar10_labels.json"
    return joined([read_rows(batches[k], labels, first=ROWS * k) for k in chosen])


def _named(form: re.Pattern[str], files: list[Path]) -> list[tuple[re.Match[str], Path]]:
    """Those named as the data set's files are; QuantlibError for one that was downloaded twice."""
    found = [(match, path) for path in files if (match := form.fullmatch(path.stem))]
    for match, path in found:
        if match[2]:
            raise QuantlibError(
                f"{path.name} in {path.parent} has other content than the file it was downloaded "
                "beside; remove one of them."
            )
    return found


def read_digits(split: str = "test") -> LabelledPictures:
    """The 1,797 handwritten digits of 8×8 pixels that scikit-learn brings: "train" or "test".

    The last 500 are for testing.

    >>> len(read_digits("train")), read_digits().rgb.shape
    (1297, (500, 8, 8, 3))
    """
    from sklearn.datasets import load_digits

    digits: Any = load_digits()
    chosen = slice(FIRST_TEST_DIGIT) if split == "train" else slice(FIRST_TEST_DIGIT, None)
    grey = np.round(digits.images[chosen] * (255 / BRIGHTEST)).astype(np.uint8)
    rgb = np.repeat(grey[..., None], 3, axis=3)
    return LabelledPictures(rgb, digits.target[chosen].astype(np.int64), DIGITS)


def joined(parts: list[LabelledPictures]) -> LabelledPictures:
    """All pictures of `parts`, which have one size and the same classes."""
    rgb = np.concatenate([part.rgb for part in parts])
    labels = np.concatenate([part.labels for part in parts])
    return LabelledPictures(rgb, labels, parts[0].classes)
