"""Rows of a parquet file with pictures and labels, unpacked a few at a time and within bounds."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from quantlib.datasets.parquet_pages import columns, unpacked_sizes
from quantlib.errors import QuantlibError

MAX_ROWS = 100_000
MAX_PAGE = 100_000_000  # bytes of one page, unpacked
MAX_UNPACKED = 1_000_000_000  # bytes of all pages
AT_ONCE = 64_000_000  # bytes that the rows of one batch may have in the worst case
MOST_ROWS_AT_ONCE = 1024
LONGEST_TEXT, LONGEST_LIST = 10_000_000, 200_000  # in the footer


class PictureTable:
    """Columns `picture`, a struct with the `bytes` of a file each, and `label`, whole numbers.

    What the file called `name` unpacks to is known, and bounded, before a page of it is unpacked.
    Raises a QuantlibError where pyarrow is missing, for no such table and for one out of bounds.
    """

    def __init__(self, file: BinaryIO, name: str, picture: str, label: str) -> None:
        try:
            from pyarrow import parquet, types
        except ImportError:
            raise QuantlibError(
                "Reading a parquet file needs pyarrow; install it with `pip install pyarrow`."
            ) from None
        self.name, self.picture, self.label = name, picture, label
        try:
            self._table: Any = parquet.ParquetFile(
                file,
                pre_buffer=False,
                thrift_string_size_limit=LONGEST_TEXT,
                thrift_container_size_limit=LONGEST_LIST,
            )
            schema = self._table.schema_arrow
            kind, number = schema.field(picture).type, schema.field(label).type
            cell = kind.field("bytes").type
            if types.is_dictionary(cell):
                cell = cell.value_type
            # Text is let through: `read_picture` says what it is.
            if not (str(cell).endswith(("binary", "string")) and types.is_integer(number)):
                raise TypeError("columns of other kinds")
            found = self._sizes(file)
            self.count: int = self._table.metadata.num_rows
            if self.count < 0:
                raise ValueError("less than no rows")
        except Exception as error:  # pyarrow raises whatever the damage led it to
            raise self._no_table() from error
        largest = max(found, default=0)
        if largest > MAX_PAGE:
            raise self._too_large(MAX_PAGE, "bytes in one page")
        if sum(found) > MAX_UNPACKED:
            raise self._too_large(MAX_UNPACKED, "bytes")
        self._rows_at_once = min(max(1, AT_ONCE // max(1, largest)), MOST_ROWS_AT_ONCE)

    def rows(self, count: int) -> Iterator[tuple[Any, int]]:
        """The file and the label of each of the first `count` rows."""
        unpacked = 0
        for at, (file, number) in zip(range(count), self._all_rows(), strict=False):
            if file is None or number is None:
                raise QuantlibError(
                    f"Row {at} of {self.name} lacks its {'picture' if file is None else 'label'}; "
                    "leave that row out."
                )
            unpacked += len(file)
            if unpacked > MAX_UNPACKED:
                raise self._too_large(MAX_UNPACKED, "bytes")
            yield file, number

    def _all_rows(self) -> Iterator[tuple[Any, int | None]]:
        columns = [f"{self.picture}.bytes", self.label]
        batches = self._table.iter_batches(self._rows_at_once, columns=columns, use_threads=False)
        while True:
            try:
                batch = next(batches, None)
                rows = [] if batch is None else batch[self.picture].to_pylist()
                labels = [] if batch is None else batch[self.label].to_pylist()
            except Exception as error:  # pyarrow raises whatever the damage led it to
                raise self._no_table() from error
            if batch is None:
                return
            yield from ((row and row["bytes"], n) for row, n in zip(rows, labels, strict=True))

    def _sizes(self, file: BinaryIO) -> list[int]:
        schema, paths = self._table.schema, (f"{self.picture}.bytes", self.label)
        wanted = [at for at in range(len(schema)) if schema.column(at).path in paths]
        return [
            size
            for column in columns(file)
            if column.number in wanted  # as pyarrow finds them: names beside them may lie
            for size in unpacked_sizes(file, column.start, column.length)
        ]

    def _no_table(self) -> QuantlibError:
        return QuantlibError(
            f"{self.name} is no table with pictures in {self.picture} and labels in {self.label}; "
            "choose the parquet file of a picture data set."
        )

    def _too_large(self, most: int, what: str) -> QuantlibError:
        return QuantlibError(
            f"{self.name} unpacks to more than {most:,} {what}; choose a smaller data set."
        )
