import io
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from quantlib.datasets import parquet_table, reading
from quantlib.datasets.parquet_pages import unpacked_sizes
from quantlib.datasets.reading import read_parquet
from quantlib.errors import QuantlibError
from quantlib.imaging.reading import png_bytes
from tests.fuzz import tables
from tests.fuzz.measuring import outcomes
from tests.fuzz.tables import repeated, table

FILES = [png_bytes(np.full((8, 8, 3), value, np.uint8)) for value in range(6)]


def refused(data: bytes, **options) -> str:
    with pytest.raises(QuantlibError) as error:
        read_parquet(data, "a.parquet", **options)
    sentence = str(error.value)
    assert sentence.endswith(".") and "\n" not in sentence
    return sentence


@pytest.fixture
def undecoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def decoded(*args, **options):
        pytest.fail("decoded")

    monkeypatch.setattr(reading, "read_picture", decoded)


@pytest.mark.parametrize("missing", [0, 3])
def test_a_picture_that_is_missing(missing: int) -> None:
    files: list[bytes | None] = [*FILES]
    files[missing] = None
    assert refused(table(files)) == (
        f"Row {missing} of a.parquet lacks its picture; leave that row out."
    )
    if missing:
        assert len(read_parquet(table(files), "a.parquet", limit=missing)) == missing


def test_bytes_and_labels_that_are_missing() -> None:
    kind = pa.struct([("bytes", pa.binary())])
    for rows, labels, words in [
        (pa.array([{"bytes": None}], kind), [1], "Row 0 of a.parquet lacks its picture"),
        (pa.array([{"bytes": FILES[0]}], kind), [None], "Row 0 of a.parquet lacks its label"),
    ]:
        buffer = io.BytesIO()
        columns = {"img": rows, "label": pa.array(labels, pa.int64())}
        parquet.write_table(pa.table(columns), buffer)
        assert words in refused(buffer.getvalue())


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, 2]),
        pa.array(["a", "b"]),
        pa.array([FILES[:1], FILES[1:2]]),
        pa.array([{"path": "a"}, {"path": "b"}]),
        pa.array([{"bytes": 1}, {"bytes": 2}]),
        pa.array([None, None]),
    ],
)
def test_columns_of_another_kind(column: pa.Array) -> None:
    buffer = io.BytesIO()
    parquet.write_table(pa.table({"img": column, "label": [0, 1]}), buffer)
    refused(buffer.getvalue())
    buffer = io.BytesIO()
    rows = pa.array([{"bytes": file} for file in FILES[:2]])
    parquet.write_table(pa.table({"img": rows, "label": column}), buffer)
    if not pa.types.is_integer(column.type):
        assert "is no table" in refused(buffer.getvalue())


def test_more_rows_than_are_read(undecoded: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_ROWS", 5)
    assert "holds 6 pictures; read at most 5" in refused(table(FILES))


def test_the_pixels_of_all_pictures_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    data = table(FILES)
    assert len(read_parquet(data, "a", max_pixels=6 * 64)) == 6
    assert len(read_parquet(data, "a", limit=2, max_pixels=2 * 64)) == 2
    decoded = []
    read: Callable = reading.read_picture
    monkeypatch.setattr(
        reading, "read_picture", lambda *given: (decoded.append(given), read(*given))[1]
    )
    assert "6 pictures of 8×8 pixels, above the limit of 383 pixels" in refused(
        data, max_pixels=383
    )
    assert len(decoded) == 1


def test_pages_that_unpack_to_too_much(undecoded: None, monkeypatch: pytest.MonkeyPatch) -> None:
    data = table([FILES[0] + bytes(5_000)] * 50, compression="zstd", use_dictionary=False)
    assert len(data) < 5_000
    monkeypatch.setattr(parquet_table, "MAX_PAGE", 200_000)
    assert "more than 200,000 bytes in one page" in refused(data)
    monkeypatch.setattr(parquet_table, "MAX_PAGE", 300_000)
    monkeypatch.setattr(parquet_table, "MAX_UNPACKED", 250_000)
    assert "more than 250,000 bytes" in refused(data)


def test_one_file_in_every_row(monkeypatch: pytest.MonkeyPatch) -> None:
    data = repeated(FILES[0] + bytes(5_000), 100)
    assert len(data) < 10_000
    assert len(read_parquet(data, "a")) == 100
    monkeypatch.setattr(parquet_table, "MAX_UNPACKED", 200_000)
    assert "unpacks to more than 200,000 bytes" in refused(data)


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("dictionary", [True, False])
def test_sizes_of_pages(compression: str, version: str, dictionary: bool) -> None:
    data = table(
        [bytes([at % 7]) * 900 for at in range(900)],
        compression=compression,
        data_page_version=version,
        use_dictionary=dictionary,
        data_page_size=2_000,
        write_batch_size=10,
        write_statistics=False,
    )
    metadata = parquet.ParquetFile(io.BytesIO(data)).metadata
    column = metadata.row_group(0).column(0)
    start = column.dictionary_page_offset or column.data_page_offset
    sizes = unpacked_sizes(io.BytesIO(data), start, column.total_compressed_size)
    headers = column.total_uncompressed_size - sum(sizes)
    assert len(sizes) > (1 if dictionary else 10)
    assert 10 * len(sizes) < headers < 60 * len(sizes)


def test_real_bombs_stay_within_time_and_memory() -> None:
    for outcome in outcomes(tables.handle, [table([bytes(140_000_000)], compression="zstd")]):
        assert outcome.is_handled, outcome


def test_damaged_tables_end_in_a_sentence_or_a_right_result() -> None:
    assert all(outcome.is_handled for outcome in tables.ENGINE.run(40, seed=1))


def test_every_byte_of_a_footer_may_be_wrong() -> None:
    """One of them, a size of a histogram, made pyarrow end the whole process."""
    data = table(FILES)
    end = len(data) - tables.FOOTER
    start = end - int.from_bytes(data[end : end + 4], "little")
    damaged = [
        data[:at] + bytes([data[at] ^ bits]) + data[at + 1 :]
        for at in range(start, end)
        for bits in (1, 0x16)
    ]
    found = list(outcomes(tables.handle, damaged))
    assert len(found) == 2 * (end - start) > 1000
    assert [one for one in found if not one.is_handled] == []


def test_a_column_that_goes_by_another_name_is_bounded_too() -> None:
    """pyarrow reads the columns in the order of the schema, whatever they call themselves."""
    bomb = table([bytes(140_000_000)], compression="zstd")
    renamed = bomb.replace(b"\x03img\x05bytes", b"\x03ima\x05bytes")
    assert renamed != bomb
    assert "unpacks to more than 100,000,000 bytes in one page" in refused(renamed)
