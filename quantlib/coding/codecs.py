"""Lossless codecs for the same symbols, from fixed-width packing to entropy coding.

All of them know the `Layout` of the symbols beforehand, so no payload repeats it.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from quantlib.coding import ans, huffman, zero_runs
from quantlib.coding.packing import code_range, pack, packed_size, unpack
from quantlib.coding.varint import read_varint, varint
from quantlib.errors import QuantlibError

DEFLATE_LEVEL, ZSTANDARD_LEVEL = 6, 3  # what zlib and zstd take where nobody names one


@dataclass(frozen=True)
class Layout:
    """Symbols of shape `(channels, elements)` and `bits` bits, 1 to 8, with or without sign."""

    shape: tuple[int, int]
    bits: int
    signed: bool

    @property
    def count(self) -> int:
        channels, elements = self.shape
        return channels * elements

    def as_bytes(self, symbols: np.ndarray) -> np.ndarray:
        """One `uint8` per symbol, its lowest `bits` bits."""
        return symbols.astype(np.uint8) & np.uint8((1 << self.bits) - 1)

    def from_bytes(self, fields: np.ndarray) -> np.ndarray:
        """The inverse of `as_bytes`, `int32`, in this layout's shape."""
        symbols = fields.astype(np.int32)
        if self.signed:
            sign = 1 << self.bits - 1
            symbols = (symbols ^ sign) - sign
        return self.checked(symbols)

    def checked(self, symbols: np.ndarray) -> np.ndarray:
        """`symbols` in this layout's shape; QuantlibError where they do not fit it."""
        low, high = code_range(self.bits, self.signed)
        if symbols.size != self.count or (
            symbols.size and not low <= symbols.min() <= symbols.max() <= high
        ):
            raise QuantlibError(
                f"These are no {self.count} symbols of {self.bits} bits; "
                "check the layout and whether the payload is complete."
            )
        return symbols.reshape(self.shape)


class MissingCodecError(QuantlibError):
    """A codec needs a library that is not installed."""


@dataclass(frozen=True)
class Codec:
    """A way to store symbols: `encode` to real bytes, `decode` back to equal `int32` symbols.

    >>> layout = Layout((2, 4), bits=3, signed=True)
    >>> symbols = np.array([[0, 0, -4, 3], [1, 1, 1, 1]])
    >>> [bool((codec.decode(codec.encode(symbols, layout), layout) == symbols).all())
    ...  for codec in CODECS if codec.name != "zstandard"]
    [True, True, True, True, True, True]
    """

    name: str
    title: str
    _encode: Callable[[np.ndarray, Layout], bytes]
    _decode: Callable[[bytes, Layout], np.ndarray]

    def encode(self, symbols: np.ndarray, layout: Layout) -> bytes:
        """Raises QuantlibError for symbols outside the layout, and where a library is missing."""
        symbols = np.asarray(symbols)
        if symbols.shape != layout.shape or symbols.dtype.kind not in "iu":
            raise QuantlibError(
                f"These are no integers of shape {layout.shape}, but {symbols.dtype} of shape "
                f"{symbols.shape}; give the layout of the symbols."
            )
        return self._encode(layout.checked(symbols), layout)

    def decode(self, payload: bytes, layout: Layout) -> np.ndarray:
        """`int32 (channels, elements)`; QuantlibError when the payload is damaged."""
        return self._decode(payload, layout)


def _unpacked(payload: bytes, layout: Layout) -> np.ndarray:
    return unpack(payload, layout.bits, layout.signed, layout.shape).astype(np.int32)


def _huffman_rows(symbols: np.ndarray, layout: Layout) -> bytes:
    rows = [huffman.encode(row) for row in layout.as_bytes(symbols)]
    return b"".join(varint(len(row)) + row for row in rows)


def _from_huffman_rows(payload: bytes, layout: Layout) -> np.ndarray:
    rows, at = [np.zeros(0, np.uint8)], 0
    try:
        for _ in range(layout.shape[0]):
            length, at = read_varint(payload, at)
            rows.append(huffman.decode(payload[at : at + length], layout.shape[1]))
            at += length
    except ValueError as error:
        raise _damaged() from error
    if at != len(payload) or any(row.size != layout.shape[1] for row in rows[1:]):
        raise _damaged()
    return layout.from_bytes(np.concatenate(rows))


def _deflated(symbols: np.ndarray, layout: Layout) -> bytes:
    return zlib.compress(layout.as_bytes(symbols).tobytes(), DEFLATE_LEVEL)


def _inflated(payload: bytes, layout: Layout) -> np.ndarray:
    inflater = zlib.decompressobj()
    try:
        fields = inflater.decompress(payload, layout.count + 1)
    except zlib.error as error:
        raise _damaged() from error
    if not inflater.eof or inflater.unused_data:
        raise _damaged()
    return layout.from_bytes(np.frombuffer(fields, np.uint8))


def _zstandard() -> Any:
    try:
        from pyarrow import Codec as ArrowCodec
    except ImportError as error:
        raise MissingCodecError(
            "Zstandard needs pyarrow, which comes with Streamlit: pip install pyarrow."
        ) from error
    if not ArrowCodec.is_available("zstd"):
        raise MissingCodecError("This pyarrow was built without Zstandard; install one with it.")
    return ArrowCodec("zstd", compression_level=ZSTANDARD_LEVEL)


def _zstandard_bytes(symbols: np.ndarray, layout: Layout) -> bytes:
    return _zstandard().compress(layout.as_bytes(symbols).tobytes(), asbytes=True)


def _from_zstandard(payload: bytes, layout: Layout) -> np.ndarray:
    codec = _zstandard()
    try:
        fields = codec.decompress(payload, decompressed_size=layout.count, asbytes=True)
    except OSError as error:
        raise _damaged() from error
    return layout.from_bytes(np.frombuffer(fields, np.uint8))


def _damaged() -> QuantlibError:
    return QuantlibError("The payload is cut off or damaged; encode the symbols again.")


def raw_size(layout: Layout) -> int:
    """Bytes of the symbols at their fixed width."""
    return packed_size(layout.count, layout.bits)


RAW = Codec(
    "raw",
    "packed",
    lambda symbols, layout: pack(symbols, layout.bits, layout.signed),
    _unpacked,
)
CODECS = (
    RAW,
    Codec("huffman-channel", "Huffman, a table per channel", _huffman_rows, _from_huffman_rows),
    Codec(
        "huffman-layer",
        "Huffman, one table per layer",
        lambda symbols, layout: huffman.encode(layout.as_bytes(symbols)),
        lambda payload, layout: layout.from_bytes(huffman.decode(payload, layout.count)),
    ),
    Codec(
        "zero-runs",
        "Huffman with zero runs",
        lambda symbols, layout: zero_runs.encode(symbols),
        lambda payload, layout: layout.checked(zero_runs.decode(payload, layout.count)),
    ),
    Codec(
        "ans",
        "ANS, a table per channel",
        lambda symbols, layout: ans.encode(symbols),
        lambda payload, layout: layout.checked(ans.decode(payload, layout.count)),
    ),
    Codec("deflate", "Deflate", _deflated, _inflated),
    Codec("zstandard", "Zstandard", _zstandard_bytes, _from_zstandard),
)
