"""What a protobuf message would unpack to, found in its bytes before anything is made of them."""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

MOST_FIELDS = 400_000
"""About ten times those of the largest networks for super-resolution: each costs some memory."""
MOST_PACKED = 1 << 25
"""Bytes of packed integers, which take up to eight times as much once they are read."""
DEEPEST = 12

_VARINT, _LONG, _BYTES, _SHORT = 0, 1, 2, 5
_FIXED = {_LONG: 8, _SHORT: 4}
_MESSAGE = 11
_INTEGERS = {3, 4, 5, 8, 13, 14, 17, 18}
"""The types that protobuf packs as integers of variable length."""


class RefusedMessageError(Exception):
    """A message that would take much more than it weighs, or that is damaged."""


class _Kinds(NamedTuple):
    """The fields of a type of message that hold messages, by number, and those of integers."""

    messages: Mapping[int, Any]
    integers: frozenset[int]


@cache
def _kinds(descriptor: Any) -> _Kinds:
    fields = descriptor.fields
    return _Kinds(
        {field.number: field.message_type for field in fields if field.type == _MESSAGE},
        frozenset(field.number for field in fields if field.type in _INTEGERS),
    )


class _Scan:
    """One walk through the fields of a message and of those inside it."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.fields_left, self.packed_left = MOST_FIELDS, MOST_PACKED

    def walk(self, at: int, end: int, descriptor: Any, depth: int) -> None:
        messages, integers = _kinds(descriptor)
        while at < end:
            self.fields_left -= 1
            if self.fields_left < 0 or depth > DEEPEST:
                raise RefusedMessageError
            key, at = self._varint(at)
            number, wire = key >> 3, key & 7
            if wire == _VARINT:
                _, at = self._varint(at)
            elif wire == _BYTES:
                length, at = self._varint(at)
                if at + length > end:
                    raise RefusedMessageError
                if number in messages:
                    self.walk(at, at + length, messages[number], depth + 1)
                elif number in integers:
                    self.packed_left -= length
                at += length
            elif wire in _FIXED:
                at += _FIXED[wire]
            else:
                raise RefusedMessageError
            if at > end or self.packed_left < 0:
                raise RefusedMessageError

    def _varint(self, at: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            byte = self.content[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value, at
            shift += 7
            if shift > 63:
                raise RefusedMessageError


def inspect(content: bytes, descriptor: Any) -> None:
    """Goes through a message of the type `descriptor`, without making anything of it.

    Raises `RefusedMessageError` for one with more fields than a network has, for nesting, and for
    what is damaged.

    >>> from quantlib.models.graphs.library import onnx_library
    >>> model = onnx_library().ModelProto
    >>> inspect(model(producer_name="me").SerializeToString(), model.DESCRIPTOR)
    >>> inspect(bytes([0x3A, 100]), model.DESCRIPTOR)
    Traceback (most recent call last):
    quantlib.models.graphs.wire.RefusedMessageError
    """
    try:
        _Scan(content).walk(0, len(content), descriptor, 0)
    except IndexError:
        raise RefusedMessageError from None
