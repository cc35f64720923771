"""How much the pages of a parquet file unpack to: by its footer and their headers, unpacking none.

Both are structs of Thrift's compact protocol, `FileMetaData` and `PageHeader` of Apache Parquet's
format. They are read here and not by pyarrow, whose reader of a column's metadata ends the whole
process where a size in it is wrong.
"""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from quantlib.datasets.thrift import Fields, read_struct

ROW_GROUPS, COLUMNS, METADATA = 4, 1, 3  # fields of the footer, of a row group, of a column
STORED, DATA_PAGE, DICTIONARY_PAGE = 7, 9, 11  # fields of a column's metadata
UNPACKED_SIZE, STORED_SIZE = 2, 3  # fields of a page's header
TRAILER = 8  # bytes of the footer's length and the magic number after it
LONGEST_FOOTER = 1_000_000
WINDOW = 65_536  # bytes of a header at most
MAX_PAGES = 20_000


class Column(NamedTuple):
    """The pages of a group's column `number`: `length` bytes from `start` on."""

    number: int
    start: int
    length: int


def columns(file: BinaryIO) -> Iterator[Column]:
    """All columns of all groups of rows. Raises ValueError and TypeError for damage."""
    end = file.seek(0, 2)
    file.seek(max(0, end - TRAILER))
    length = int.from_bytes(file.read(4), "little")
    if length > min(LONGEST_FOOTER, end - TRAILER):
        raise ValueError("a footer that is longer than the file or than any picture data set has")
    file.seek(end - TRAILER - length)
    footer, _ = read_struct(file.read(length))
    for group in footer.get(ROW_GROUPS) or ():
        for number, column in enumerate(group.get(COLUMNS) or ()):
            yield _column(number, column[METADATA])


def _column(number: int, metadata: Fields) -> Column:
    start = min(metadata[DATA_PAGE], metadata.get(DICTIONARY_PAGE) or metadata[DATA_PAGE])
    if start < 0 or metadata[STORED] < 0:
        raise ValueError("a column before the file begins")
    return Column(number, start, metadata[STORED])


def unpacked_sizes(file: BinaryIO, start: int, length: int) -> list[int]:
    """Bytes that each page in the `length` bytes of a column from `start` on unpacks to.

    Raises ValueError for damage.
    """
    found, at = [], start
    while at < start + length:
        file.seek(at)
        header, size = read_struct(file.read(WINDOW))
        unpacked, stored = header.get(UNPACKED_SIZE), header.get(STORED_SIZE)
        if not (
            isinstance(unpacked, int) and isinstance(stored, int) and min(unpacked, stored) >= 0
        ):
            raise ValueError("a page without its sizes")
        found.append(unpacked)
        if len(found) > MAX_PAGES:
            raise ValueError("more pages than any picture data set has")
        at += size + stored
    return found
