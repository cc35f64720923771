"""Serialised form of quantizers whose codes all have the same width."""

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from quantlib.coding.claims import hold_claim, most_symbols
from quantlib.coding.packing import pack, packed_size, unpack
from quantlib.errors import QuantlibError
from quantlib.quantizers.bitwidth import BitWidth
from quantlib.quantizers.channels import channel_axis
from quantlib.quantizers.sizes import ByteSizes

_HEADER = struct.Struct("<4sBBBB")
_MAGIC = b"BLQ1"
MAX_DIMENSIONS = 64  # NumPy's limit
FREE_ELEMENTS = 1 << 23  # of a payload of any length


@dataclass(frozen=True, eq=False)
class PackedTensor:
    """Packed codes with what decoding needs: `rule` (uniform or power-of-two), scales and offsets.

    `scales` is float32 `(C,)` or `(1,)`; `offsets`, float32 `(C,)` or empty, is subtracted from
    the decoded values (NoisyQuant's noise). `channel_dim` is None when there is one scale.
    """

    rule: str
    shape: tuple[int, ...]
    channel_dim: int | None
    bitwidth: BitWidth
    scales: np.ndarray
    offsets: np.ndarray
    codes: bytes

    @property
    def sizes(self) -> ByteSizes:
        return packed_sizes(self.shape, self.bitwidth, self.scales.size, self.offsets.size)

    @property
    def nbytes(self) -> int:
        return self.sizes.total

    def decode(self) -> Tensor:
        """float32 values, exactly those of the fake quantization."""
        codes = unpack(self.codes, self.bitwidth.bits, self.bitwidth.signed, self.shape)
        values = DECODERS[self.rule](torch.from_numpy(codes.astype(np.float32)), self.bitwidth)
        values = values * self._along(self.scales)
        return values - self._along(self.offsets) if self.offsets.size else values

    def _along(self, values: np.ndarray) -> Tensor:
        shape = [1] * len(self.shape)
        if values.size > 1 or self.channel_dim is not None:
            shape[self.channel_dim or 0] = -1
        return torch.from_numpy(values).view(shape)

    def to_bytes(self) -> bytes:
        dim = 255 if self.channel_dim is None else self.channel_dim
        kind = list(DECODERS).index(self.rule) * 2 + self.bitwidth.signed
        head = _HEADER.pack(_MAGIC, kind, self.bitwidth.bits, len(self.shape), dim)
        counts = struct.pack(
            f"<{len(self.shape) + 2}I", *self.shape, self.scales.size, self.offsets.size
        )
        return head + counts + self.scales.tobytes() + self.offsets.tobytes() + self.codes

    @classmethod
    def from_bytes(cls, payload: bytes, limit: int | None = None) -> "PackedTensor":
        """The inverse of `to_bytes`; QuantlibError for damage and more elements than `limit`."""
        try:
            magic, kind, bits, ndim, dim = _HEADER.unpack_from(payload)
            if magic != _MAGIC:
                raise QuantlibError("These bytes are not a packed tensor; nothing was decoded.")
            at = _HEADER.size
            *shape, n_scales, n_offsets = struct.unpack_from(f"<{ndim + 2}I", payload, at)
            at += 4 * (ndim + 2)
            scales = np.frombuffer(payload, "<f4", n_scales, at).copy()
            offsets = np.frombuffer(payload, "<f4", n_offsets, at + 4 * n_scales).copy()
            rule = list(DECODERS)[kind // 2]
        except (struct.error, ValueError, IndexError) as error:
            raise QuantlibError("The packed tensor is cut off or damaged.") from error
        codes = payload[at + 4 * (n_scales + n_offsets) :]
        bitwidth = BitWidth(bits, bool(kind % 2))
        elements = claimed_elements(shape, payload, limit)
        if len(codes) != packed_size(elements, bits) or not (
            np.isfinite(offsets).all() and np.isfinite(scales).all()
        ):
            raise QuantlibError("The packed tensor is cut off or damaged.")
        channel_dim = None if dim == 255 else dim
        if channel_dim is not None and channel_dim >= ndim:
            raise QuantlibError("The packed tensor is cut off or damaged.")
        channels = 1 if channel_dim is None else shape[channel_dim]
        if n_scales not in (1, channels) or n_offsets not in (0, channels):
            raise QuantlibError("The packed tensor is cut off or damaged.")
        return cls(rule, tuple(shape), channel_dim, bitwidth, scales, offsets, codes)


def packed_sizes(
    shape: tuple[int, ...], bitwidth: BitWidth, scales: int, offsets: int = 0
) -> ByteSizes:
    """Sizes of a PackedTensor of that shape, known without packing it."""
    elements = int(np.prod(shape, dtype=np.int64))
    return ByteSizes(
        fp32=4 * elements,
        codes=packed_size(elements, bitwidth.bits),
        tables=_HEADER.size + 4 * (len(shape) + 2),
        scales=4 * (scales + offsets),
    )


def element_count(shape: Sequence[int]) -> int:
    """Elements of a stored tensor; QuantlibError for a shape that no array can have."""
    if len(shape) > MAX_DIMENSIONS or math.prod(side for side in shape if side) >> 60:
        raise QuantlibError("The stored tensor has an impossible shape; its bytes are damaged.")
    return math.prod(shape)


def claimed_elements(shape: Sequence[int], payload: bytes, limit: int | None) -> int:
    """`element_count` of a shape that `payload` announces.

    Raises a QuantlibError for more than `limit` elements; without a limit for more than
    `FREE_ELEMENTS` and `PER_BYTE` a byte.
    """
    elements = element_count(shape)
    hold_claim(elements, most_symbols(payload, FREE_ELEMENTS) if limit is None else limit)
    return elements


def pack_tensor(
    rule: str,
    codes: Tensor,
    bitwidth: BitWidth,
    scale: Tensor,
    channel_dim: int | None,
    offset: Tensor | None = None,
) -> PackedTensor:
    """The serialised form of integer `codes` with their scale and offset."""
    axis = None if channel_dim is None else channel_axis(codes, channel_dim)
    scales, offsets = (
        np.zeros(0, np.float32) if values is None else values.reshape(-1).float().numpy()
        for values in (scale, offset)
    )
    packed = pack_codes(codes, bitwidth)
    return PackedTensor(rule, tuple(codes.shape), axis, bitwidth, scales, offsets, packed)


def pack_codes(codes: Tensor, bitwidth: BitWidth) -> bytes:
    integers = codes.to(torch.int16) if codes.is_floating_point() else codes
    return pack(integers.cpu().numpy(), bitwidth.bits, bitwidth.signed)


def power_of_two_values(codes: Tensor, bitwidth: BitWidth) -> Tensor:
    """Codes 0, ±1 … ±J to 0, ±2^(1-J) … ±1, with J = 2^(n-1) - 1."""
    return torch.sign(codes) * torch.exp2(codes.abs() - bitwidth.qmax) * (codes != 0)


DECODERS: dict[str, Callable[[Tensor, BitWidth], Tensor]] = {
    "uniform": lambda codes, bitwidth: codes,
    "power-of-two": power_of_two_values,
}
