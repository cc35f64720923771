"""How fast the coders are, held against other work on the same symbols in one run."""

import zlib
from collections.abc import Iterator
from functools import partial

import numpy as np

from quantlib.coding import ans, compiled, huffman
from quantlib.coding.packing import pack, unpack
from quantlib.requirement import Requirement, relative_speed

SYMBOLS, LARGE = 1 << 20, 1 << 24
WIDTHS = range(2, 9)


def requirements() -> list[Requirement]:
    """Every coder's requirement, measured here and now with compiled kernels where there are any.

    The symbols are 2^20 of 8 values, rare ones rarer, and for packing 2^24 of all values.
    """
    compiled.warm()
    return [*_huffman(), *_ans(), *_packing()]


def sample() -> np.ndarray:
    """2^20 symbols of 8 values, `uint8`, with an entropy of about 2.3 bits."""
    drawn = np.random.default_rng(0).geometric(0.4, SYMBOLS)
    return drawn.clip(1, 8).astype(np.uint8) - 1


def _huffman() -> Iterator[Requirement]:
    symbols = sample()
    payload, deflated = huffman.encode(symbols), _deflated(symbols)
    encoding = relative_speed(lambda: huffman.encode(symbols), lambda: _deflated(symbols))
    decoding = relative_speed(lambda: huffman.decode(payload), lambda: zlib.decompress(deflated))
    yield Requirement("Huffman encodes, relative to zlib", encoding, 1.0)
    yield Requirement("Huffman decodes, relative to zlib", decoding, 1.0)


def _deflated(symbols: np.ndarray) -> bytes:
    deflater = zlib.compressobj(strategy=zlib.Z_HUFFMAN_ONLY)
    return deflater.compress(symbols.data) + deflater.flush()


def _ans() -> Iterator[Requirement]:
    rows = sample().astype(np.int32)[None]
    payload = ans.encode(rows)
    figure = relative_speed(lambda: ans.decode(payload), lambda: ans.encode(rows))
    yield Requirement("ANS decodes, relative to encoding", figure, 1.0)


def _packing() -> Iterator[Requirement]:
    for bits in WIDTHS:
        codes = np.random.default_rng(bits).integers(0, 1 << bits, LARGE, np.uint8)
        packed = pack(codes, bits, False)
        unpacked = unpack(packed, bits, False, codes.shape)
        packing = relative_speed(partial(pack, codes, bits, False), codes.copy)
        unpacking = relative_speed(partial(unpack, packed, bits, False, codes.shape), unpacked.copy)
        yield Requirement(f"{bits} bits: packs, relative to a copy of the codes", packing, 0.25)
        yield Requirement(f"{bits} bits: unpacks, relative to a copy of the codes", unpacking, 0.25)
