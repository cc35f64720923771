"""Damaged payloads, for every decoder and for both of its forms."""

from functools import cache
from unittest import mock
from zlib import crc32

import numpy as np

from quantlib.coding import compiled
from quantlib.errors import QuantlibError
from tests.fuzz.mutating import mutated
from tests.fuzz.running import Engine
from tests.fuzz.targets import Target, targets


def make(random: np.random.Generator) -> bytes:
    """The number of a decoder in one byte, and a damaged payload for it."""
    at = int(random.integers(len(_targets())))
    return bytes([at]) + mutated(_targets()[at].payloads, random)


def handle(data: bytes) -> None:
    """Decodes a payload without and with the compiled kernels, which must agree."""
    target, payload = _targets()[data[0]], data[1:]
    with mock.patch.object(compiled, "kernels", lambda: None):
        plain = _decoded(target, payload)
    fast = _decoded(target, payload)
    refused = isinstance(plain, QuantlibError)
    assert refused == isinstance(fast, QuantlibError), f"{target.name}: {plain} and {fast}"
    if isinstance(plain, QuantlibError):
        raise plain
    assert plain == fast, f"{target.name}: the forms give other values"


def warm() -> None:
    compiled.warm()
    for at, target in enumerate(_targets()):
        handle(bytes([at]) + target.payloads[0])


@cache
def _targets() -> list[Target]:
    return targets()


def _decoded(target: Target, payload: bytes) -> list[tuple] | QuantlibError:
    """Shape, type and checksum of each array, so that two forms are never held at once."""
    try:
        with np.errstate(all="ignore"):
            arrays = target.decode(payload)
    except QuantlibError as error:
        return error
    return [(a.shape, a.dtype, crc32(np.ascontiguousarray(a).data)) for a in arrays]


ENGINE = Engine("mutated payloads", make, handle, warm)
