"""How much the pages of a parquet file unpack to, by their headers and without unpacking any.

A header is a struct of Thrift's compact protocol, after `PageHeader` of Apache Parquet's format.
"""

from typing import BinaryIO

STOP, TRUE, FALSE, BYTE, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = 0, 1, 2, 3, 7, 8, 9, 10, 11, 12
UNPACKED_SIZE, STORED_SIZE = 2, 3  # the header's fields
WINDOW = 65_536  # bytes of a header at most
DEEPEST = 16
MAX_PAGES = 20_000


def unpacked_sizes(file: BinaryIO, start: int, length: int) -> list[int]:
    """Bytes that each page in the `length` bytes of a column from `start` on unpacks to.

    Raises ValueError for damage.
    """
    found, at = [], start
    while at < start + length:
        file.seek(at)
        header = _Header(file.read(WINDOW))
        sizes = header.struct()
        if not {UNPACKED_SIZE, STORED_SIZE} <= sizes.keys() or min(sizes.values()) < 0:
            raise ValueError("a page without its sizes")
        found.append(sizes[UNPACKED_SIZE])
        if len(found) > MAX_PAGES:
            raise ValueError("more pages than any picture data set has")
        at += header.at + sizes[STORED_SIZE]
    return found


class _Header:
    """Goes over a struct once; `at` is where it stands."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def struct(self, depth: int = 0) -> dict[int, int]:
        """The whole numbers of a struct by their fields; what else there is is passed over."""
        if depth > DEEPEST:
            raise ValueError("a header inside headers")
        numbers, field = {}, 0
        while (kind := self._byte()) != STOP:
            field = field + (kind >> 4) if kind >> 4 else self._whole()
            if TRUE <= kind & 15 <= FALSE:
                continue
            value = self._value(kind & 15, depth)
            if value is not None:
                numbers[field] = value
        return numbers

    def _value(self, kind: int, depth: int) -> int | None:
        if kind in (4, 5, 6):
            return self._whole()
        if kind in (TRUE, FALSE, BYTE):  # a list's truths take a byte each
            self.at += 1
        elif kind == DOUBLE:
            self.at += 8
        elif kind == BINARY:
            length = self._number()
            self.at += length
        elif kind in (LIST, SET):
            head = self._byte()
            count = head >> 4 if head >> 4 < 15 else self._number()
            self._values(count, [head & 15], depth)
        elif kind == MAP:
            count = self._number()
            kinds = self._byte() if count else 0
            self._values(count, [kinds >> 4, kinds & 15], depth)
        elif kind == STRUCT:
            self.struct(depth + 1)
        else:
            raise ValueError("a kind that Thrift does not have")
        return None

    def _values(self, count: int, kinds: list[int], depth: int) -> None:
        if count > len(self.data) or depth > DEEPEST:
            raise ValueError("more values than bytes")
        for _ in range(count):
            for kind in kinds:
                self._value(kind, depth + 1)

    def _byte(self) -> int:
        if self.at >= len(self.data):
            raise ValueError("a header that is cut short")
        self.at += 1
        return self.data[self.at - 1]

    def _number(self) -> int:
        """A varint, seven bits to a byte."""
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
            if shift > 63:
                raise ValueError("a number of more than 64 bits")

    def _whole(self) -> int:
        """A zigzag varint."""
        value = self._number()
        return value >> 1 ^ -(value & 1)
