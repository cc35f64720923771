"""The directories of TIFF 6.0 and BigTIFF files: numbered entries that point into the file."""

import struct
from dataclasses import dataclass

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
WHOLE = {1: "B", 3: "H", 4: "I", 7: "B", 16: "Q"}  # the types of whole numbers and of bytes


@dataclass(frozen=True)
class Entry:
    """`count` values of type `kind`, which `raw` states as the file does."""

    raw: bytes
    kind: int
    count: int


class Directories:
    """Reads entries where a file has them; struct.error or ValueError for what it has not."""

    def __init__(self, data: bytes) -> None:
        if data[:4] not in SIGNATURES:
            raise ValueError("no TIFF")
        self.data = data
        self.order = "<" if data[:2] == b"II" else ">"
        self.big = 43 in data[2:4]
        self._number = self.order + ("Q" if self.big else "I")  # of entries, places and values
        self._entries = self.order + ("Q" if self.big else "H")
        self._pointer = 8 if self.big else 4  # where the first directory's place stands
        self._size = struct.calcsize(self._number)

    @property
    def first(self) -> int:
        """Where the first directory is."""
        return struct.unpack_from(self._number, self.data, self._pointer)[0]

    def entries(self, at: int) -> dict[int, Entry]:
        """By their tags, those of the directory at `at`."""
        start, count = self._bounds(at)
        length = 4 + 2 * self._size
        found = {}
        for place in range(start, start + count * length, length):
            raw = self.data[place : place + length]
            tag, kind, number = struct.unpack_from(self.order + "HH" + self._number[1], raw)
            found.setdefault(tag, Entry(raw, kind, number))
        return found

    def next(self, at: int) -> int:
        """Where the directory after that at `at` is, or 0."""
        start, count = self._bounds(at)
        return struct.unpack_from(self._number, self.data, start + count * (4 + 2 * self._size))[0]

    def numbers(self, entry: Entry, most: int = 8) -> tuple[int, ...]:
        """The first `most` of an entry's values, which are whole numbers."""
        letter = WHOLE[entry.kind]
        count = min(entry.count, most)
        return struct.unpack(f"{self.order}{count}{letter}", self._held(entry, letter, count))

    def content(self, entry: Entry) -> bytes:
        """All bytes of an entry that holds bytes."""
        return self._held(entry, "B", entry.count)

    def alone(self, entries: dict[int, Entry]) -> bytes:
        """The file with one directory, which holds only these entries."""
        place = struct.pack(self._number, len(self.data) + len(self.data) % 2)
        head = self.data[: self._pointer] + place
        directory = (
            struct.pack(self._entries, len(entries))
            + b"".join(entries[tag].raw for tag in sorted(entries))
            + bytes(self._size)
        )
        rest = self.data[len(head) :] + bytes(len(self.data) % 2)
        return b"".join([head, rest, directory])

    def _bounds(self, at: int) -> tuple[int, int]:
        (count,) = struct.unpack_from(self._entries, self.data, at)
        return at + struct.calcsize(self._entries), min(count, 65_535)

    def _held(self, entry: Entry, letter: str, count: int) -> bytes:
        """Inside the entry where it fits there, else where that points."""
        one = struct.calcsize(letter)
        inside = entry.raw[-self._size :]
        if entry.count * one <= self._size:
            return inside[: count * one]
        (place,) = struct.unpack(self._number, inside)
        return self.data[place : place + count * one]
