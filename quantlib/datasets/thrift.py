"""Structs in Thrift's compact protocol, read without believing what they say of their sizes."""

from typing import Any

STOP, TRUE, FALSE, BYTE, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = 0, 1, 2, 3, 7, 8, 9, 10, 11, 12
WHOLE = (4, 5, 6)
DEEPEST = 16

Fields = dict[int, Any]


def read_struct(data: bytes) -> tuple[Fields, int]:
    """The fields of the struct at the start of `data` by their numbers, and where it ends.

    Whole numbers are int, texts bytes, lists list and structs dict; what else there is is None.
    Raises ValueError for damage.

    >>> read_struct(bytes([0x15, 0x08, 0x18, 0x02, 0x68, 0x69, 0x00]))
    ({1: 4, 2: b'hi'}, 7)
    """
    reader = _Reader(data)
    return reader.struct(), reader.at


class _Reader:
    """Goes over a struct once; `at` is where it stands."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def struct(self, depth: int = 0) -> Fields:
        if depth > DEEPEST:
            raise ValueError("a struct inside structs")
        fields, field = {}, 0
        while (kind := self._byte()) != STOP:
            field = field + (kind >> 4) if kind >> 4 else self._whole()
            if TRUE <= kind & 15 <= FALSE:
                continue
            fields[field] = self._value(kind & 15, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if kind in WHOLE:
            return self._whole()
        if kind in (TRUE, FALSE, BYTE):  # a list's truths take a byte each
            self.at += 1
        elif kind == DOUBLE:
            self.at += 8
        elif kind == BINARY:
            length = self._number()
            self.at += length
            return self.data[self.at - length : self.at]
        elif kind in (LIST, SET):
            head = self._byte()
            count = head >> 4 if head >> 4 < 15 else self._number()
            return self._values(count, [head & 15], depth)
        elif kind == MAP:
            count = self._number()
            kinds = self._byte() if count else 0
            self._values(count, [kinds >> 4, kinds & 15], depth)
        elif kind == STRUCT:
            return self.struct(depth + 1)
        else:
            raise ValueError("a kind that Thrift does not have")
        return None

    def _values(self, count: int, kinds: list[int], depth: int) -> list[Any]:
        if count > len(self.data) or depth > DEEPEST:
            raise ValueError("more values than bytes")
        return [self._value(kind, depth + 1) for _ in range(count) for kind in kinds]

    def _byte(self) -> int:
        if self.at >= len(self.data):
            raise ValueError("a struct that is cut short")
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
