"""Damaged parquet files."""

from functools import cache
from io import BytesIO

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from quantlib.datasets.reading import read_parquet
from quantlib.imaging.reading import png_bytes
from tests.fuzz.mutating import chosen, mutated
from tests.fuzz.running import Engine

FOOTER = 8  # bytes of the footer's length and the magic number after it


def make(random: np.random.Generator) -> bytes:
    """One of the originals with damage, a third of them in the footer, where the sizes stand."""
    files = originals()
    if random.random() < 1 / 3:
        data = chosen(files, random)
        length = int.from_bytes(data[-FOOTER : 4 - FOOTER], "little")
        start = len(data) - FOOTER - length
        footer = bytearray(data[start:-FOOTER])
        for at in random.integers(length, size=random.integers(1, 6)):
            footer[at] = random.integers(256)
        return data[:start] + bytes(footer) + data[-FOOTER:]
    return mutated(files, random)


def handle(data: bytes) -> None:
    """Reads what may be a data set of ten classes."""
    pictures = read_parquet(data, "fuzzed")
    assert pictures.rgb.dtype == np.uint8 and pictures.rgb.shape[0] == len(pictures.labels)


@cache
def originals() -> list[bytes]:
    """Small data sets of every compression and encoding, some of which unpack to very much."""
    files = [png_bytes(np.full((8, 8, 3), value, np.uint8)) for value in range(6)]
    small = [
        table(files, compression=compression, use_dictionary=dictionary)
        for compression in ("none", "snappy", "gzip", "brotli", "zstd", "lz4")
        for dictionary in (True, False)
    ]
    delta = {"use_dictionary": False, "column_encoding": {"img.bytes": "DELTA_BYTE_ARRAY"}}
    small += [table(files, **delta), table(files, data_page_version="2.0", row_group_size=2)]
    return [
        *small,
        repeated(files[0] + bytes(900_000), 1_200),
        table([bytes(140_000_000)], compression="zstd"),
    ]


def repeated(file: bytes, count: int) -> bytes:
    """One file in every row, which is stored once."""
    places = pa.array([0] * count, pa.int32())
    files = pa.DictionaryArray.from_arrays(places, pa.array([file], pa.binary()))
    rows = pa.StructArray.from_arrays([files], ["bytes"])
    return _stored(rows, [0] * count)


def table(files: list, labels: list | None = None, **options) -> bytes:
    """A data set in the Hub's form."""
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    rows = pa.array(
        [None if file is None else {"bytes": file, "path": None} for file in files], kind
    )
    return _stored(rows, labels or [at % 10 for at in range(len(files))], **options)


def _stored(rows: pa.Array, labels: list, **options) -> bytes:
    buffer = BytesIO()
    columns = {"img": rows, "label": pa.array(labels, pa.int64())}
    parquet.write_table(pa.table(columns), buffer, **options)
    return buffer.getvalue()


ENGINE = Engine("mutated parquet files", make, handle)
