"""What two processes say to each other: JSON and raw bytes, so that reading it runs nothing."""

import json
import struct
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

LENGTH = struct.Struct("<Q")
MOST_HEAD = 16_000_000
"""Bytes of the JSON in front."""

ORDER, REQUEST = "order", "request"
"""What the working process is sent: what to do and its limits, then what to do it with."""
DONE, SAID, REFUSED, NO_MEMORY, FAILED = "done", "said", "refused", "no memory", "failed"
"""What it sends back."""

Buffer = bytes | bytearray | memoryview
Read = Callable[[int], bytes | bytearray]
"""Exactly so many of the bytes that come next."""


class Message(NamedTuple):
    """`values` are what JSON holds; `buffers` the bytes of files, pixels or tensors."""

    values: dict[str, Any]
    buffers: tuple[Buffer, ...] = ()


Say = Callable[[dict[str, Any]], None]
"""What work tells of itself while it goes on."""


def pieces(kind: str, message: Message) -> Iterator[Buffer]:
    """A message as what is written one after the other.

    >>> b"".join(pieces(DONE, Message({"side": 2}, (b"four",))))[LENGTH.size :]
    b'["done", {"side": 2}, [4]]four'
    """
    head = json.dumps([kind, message.values, [memoryview(b).nbytes for b in message.buffers]])
    yield LENGTH.pack(len(head.encode()))
    yield head.encode()
    yield from message.buffers


def received(read: Read, most: int) -> tuple[str, Message]:
    """The next message and its kind; a ValueError where it is none, or has more bytes than `most`.

    >>> import io
    >>> written = b"".join(pieces(DONE, Message({}, (b"four", b""))))
    >>> received(io.BytesIO(written).read, most=4)
    ('done', Message(values={}, buffers=(b'four', b'')))
    >>> received(io.BytesIO(written).read, most=3)
    Traceback (most recent call last):
    ValueError: 4 bytes
    """
    (length,) = LENGTH.unpack(read(LENGTH.size))
    if length > MOST_HEAD:
        raise ValueError(f"{length} bytes in front")
    kind, values, sizes = json.loads(read(length))
    if not isinstance(values, dict) or not all(type(one) is int and one >= 0 for one in sizes):
        raise ValueError("no message")
    if sum(sizes) > most:
        raise ValueError(f"{sum(sizes)} bytes")
    return str(kind), Message(values, tuple(read(size) for size in sizes))
