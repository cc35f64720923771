"""DQA: deep quantization of DNN activations (Hu, Henderson, Cano; arXiv 2412.09687).

Important channels are quantized to n+m bits, shifted right by m so that every code has n bits, and
the m bits shifted out (the *shifting errors*) are Huffman-coded, channel by channel.
"""

import struct
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from quantlib.coding import huffman
from quantlib.coding.packing import packed_size, unpack
from quantlib.errors import QuantlibError
from quantlib.quantizers.bitwidth import BitWidth
from quantlib.quantizers.channels import (
    along_channels,
    by_channel,
    channel_axis,
    in_memory_order,
    largest_magnitude,
    step_size,
)
from quantlib.quantizers.packed import claimed_elements, pack_codes
from quantlib.quantizers.quantizer import Quantizer
from quantlib.quantizers.sizes import ByteSizes

_HEADER = struct.Struct("<4sBBBB")
LENGTH = struct.Struct("<I")


@dataclass(frozen=True)
class CodeSizes:
    """Bytes of the n-bit codes: `data` are the codes, `table` is what decoding them needs."""

    data: int
    table: int


@dataclass(frozen=True, eq=False)
class DQATensor:
    """A tensor as DQA stores it (algorithm 1).

    `codes` are all elements at n bits, packed; `refinement` is one Huffman payload of shifting
    errors per important channel; `steps`, float32 `(C,)`, is Δ_{n+m} for important channels and
    Δ_n for the others; `important` is a bool mask `(C,)`.
    """

    shape: tuple[int, ...]
    channel_dim: int
    bits: int
    extra_bits: int
    important: np.ndarray
    steps: np.ndarray
    codes: bytes
    refinement: tuple[bytes, ...]

    magic: ClassVar[bytes] = b"DQA1"

    def decode(self) -> Tensor:
        """float32 values: Δ_{n+m}·q' on important channels, Δ_n·q elsewhere (algorithm 2)."""
        return self.dequantize(self.widened())

    def widened(self) -> np.ndarray:
        """Integers `(C, elements)`: q' = code·2^m + k on important channels, q elsewhere."""
        rows = self._code_rows()
        for channel, payload in zip(
            np.flatnonzero(self.important), self.refinement, strict=bool(self.refinement)
        ):
            lost = huffman.decode(payload, rows.shape[1])
            if lost.size != rows.shape[1] or lost.max(initial=0) >> self.extra_bits:
                raise QuantlibError("The refinement of a DQA tensor is damaged.")
            rows[channel] <<= self.extra_bits
            rows[channel] |= lost
        return rows

    def dequantize(self, widened: np.ndarray) -> Tensor:
        """float32 values of `widened` `(C, elements)`, in the tensor's own shape."""
        values = torch.from_numpy(widened).float()
        values *= torch.from_numpy(self.steps)[:, None]
        outer = [self.shape[i] for i in range(len(self.shape)) if i != self.channel_dim]
        values = values.view(self.steps.size, *outer)
        return values.movedim(0, self.channel_dim).contiguous()

    def _code_rows(self) -> np.ndarray:
        """The n-bit codes `(C, elements)`, in a type that holds `BitWidth` and the extra bits."""
        codes = unpack(self.codes, self.bits, True, self.shape)
        channels = self.steps.size
        rows = np.moveaxis(codes, self.channel_dim, 0)
        return np.ascontiguousarray(rows).reshape(channels, codes.size // max(channels, 1))

    def _code_sizes(self) -> CodeSizes:
        return CodeSizes(len(self.codes), 0)

    def _stored_codes(self) -> bytes:
        return self.codes

    @classmethod
    def _read_codes(cls, payload: bytes, at: int, elements: int, bits: int) -> tuple[bytes, int]:
        """The codes that begin at `at`, and where they end."""
        end = at + packed_size(elements, bits)
        return payload[at:end], end

    @cached_property
    def sizes(self) -> ByteSizes:
        elements = int(np.prod(self.shape, dtype=np.int64))
        coded = sum(_data_bytes(payload) for payload in self.refinement)
        stored = sum(len(payload) + LENGTH.size for payload in self.refinement)
        codes = self._code_sizes()
        head = _head_size(self.shape, self.steps.size)
        return ByteSizes(
            fp32=4 * elements,
            codes=codes.data,
            refinement=coded,
            tables=head + codes.table + stored - coded,
            scales=4 * self.steps.size,
        )

    @property
    def nbytes(self) -> int:
        """Length of `to_bytes()`."""
        return self.sizes.total

    def to_bytes(self) -> bytes:
        numbers = self.bits, self.extra_bits, len(self.shape), self.channel_dim
        head = _HEADER.pack(self.magic, *numbers)
        parts = [head, struct.pack(f"<{len(self.shape)}I", *self.shape)]
        parts += [np.packbits(self.important).tobytes(), self.steps.tobytes()]
        parts.append(self._stored_codes())
        for payload in self.refinement:
            parts += [LENGTH.pack(len(payload)), payload]
        return b"".join(parts)

    @classmethod
    def from_bytes(cls, payload: bytes, limit: int | None = None) -> Self:
        """The inverse of `to_bytes`; QuantlibError for damage and more elements than `limit`."""
        try:
            magic, bits, extra_bits, ndim, channel_dim = _HEADER.unpack_from(payload)
            if magic != cls.magic:
                raise QuantlibError("These bytes are not a DQA tensor; nothing was decoded.")
            _check_bits(bits, extra_bits)
            shape = struct.unpack_from(f"<{ndim}I", payload, _HEADER.size)
            channels, elements = shape[channel_dim], claimed_elements(shape, payload, limit)
            at = _HEADER.size + 4 * ndim
            mask = np.frombuffer(payload, np.uint8, -(-channels // 8), at)
            important = np.unpackbits(mask, count=channels).astype(bool)
            at += mask.size
            steps = np.frombuffer(payload, "<f4", channels, at).copy()
            at += 4 * channels
            codes, at = cls._read_codes(payload, at, elements, bits)
            refinement = []
            for _ in range(_refined_channels(important, extra_bits)):
                (length,) = LENGTH.unpack_from(payload, at)
                at += LENGTH.size
                refinement.append(payload[at : at + length])
                at += length
        except (struct.error, ValueError, IndexError) as error:
            raise QuantlibError("The DQA tensor is cut off or damaged.") from error
        if at != len(payload) or not (np.isfinite(steps) & (steps > 0)).all():
            raise QuantlibError("The DQA tensor is cut off or damaged.")
        return cls(shape, channel_dim, bits, extra_bits, important, steps, codes, tuple(refinement))


@dataclass(frozen=True, eq=False)
class DQAQuantizer(Quantizer):
    """DQA with known steps: `steps` float32 `(C,)`, `important` bool `(C,)` (see DQATensor)."""

    steps: Tensor
    important: Tensor
    bits: int
    extra_bits: int
    channel_dim: int = 1
    tensor: ClassVar[type[DQATensor]] = DQATensor

    @cached_property
    def _range(self) -> tuple[Tensor, Tensor]:
        narrow = BitWidth(self.bits)
        wide = narrow.widened(self.extra_bits)
        low = torch.where(self.important, wide.qmin, narrow.qmin).float()
        return low, -low - 1

    @cached_property
    def _chosen(self) -> Tensor:
        return self.important.nonzero().flatten()

    @cached_property
    def _shift(self) -> Tensor:
        return torch.where(self.important, self.extra_bits, 0).to(torch.int16)

    def widened(self, x: Tensor) -> Tensor:
        """q' on important channels, q elsewhere, as floats in the shape of `x`."""
        low, high = (along_channels(side, x, self.channel_dim) for side in self._range)
        q = x / along_channels(self.steps, x, self.channel_dim)
        return q.round_().clamp_(low, high)

    def split(self, q: Tensor) -> tuple[Tensor, Tensor]:
        """The n-bit codes and the shifting errors k of `widened`.

        q' >> m on important channels, q elsewhere, int16 in the shape of `q`; and q' & (2^m - 1) of
        the important channels, uint8 `(important, elements)`.
        """
        codes = q.to(torch.int16).contiguous()
        chosen = codes.index_select(channel_axis(q, self.channel_dim), self._chosen)
        errors = by_channel(chosen & ((1 << self.extra_bits) - 1), self.channel_dim).byte()
        return codes.bitwise_right_shift_(along_channels(self._shift, q, self.channel_dim)), errors

    def shift(self, q: Tensor) -> Tensor:
        """The n-bit codes of `widened`, int32: q' >> m on important channels, q elsewhere."""
        return self.split(q)[0].int()

    def shifting_errors(self, q: Tensor) -> Tensor:
        """k = q' & (2^m - 1) of the important channels, uint8 `(important, elements)`."""
        return self.split(q)[1]

    def __call__(self, x: Tensor) -> Tensor:
        return self.widened(x).mul_(along_channels(self.steps, x, self.channel_dim))

    def to_int(self, x: Tensor) -> Tensor:
        """The n-bit codes: q' >> m on important channels, q elsewhere."""
        return self.shift(self.widened(x))

    def encode(self, x: Tensor) -> DQATensor:
        return self.coded(*self.split(self.widened(x)))

    def coded(self, codes: Tensor, errors: Tensor) -> DQATensor:
        """The bytes of what `split` has made."""
        return self.tensor(
            tuple(codes.shape),
            channel_axis(codes, self.channel_dim),
            self.bits,
            self.extra_bits,
            self.important.numpy(),
            self.steps.numpy(),
            self._coded_codes(codes),
            tuple(huffman.encode(row) for row in errors.numpy()) if self.extra_bits else (),
        )

    def _coded_codes(self, codes: Tensor) -> bytes:
        return pack_codes(codes, BitWidth(self.bits))

    def _code_sizes(self, q: Tensor) -> CodeSizes:
        return CodeSizes(packed_size(q.numel(), self.bits), 0)

    def measure(self, x: Tensor) -> tuple[Tensor, ByteSizes]:
        q = self.widened(x)
        table, data = self._refinement_bytes(q)
        codes = self._code_sizes(q)
        refined = _refined_channels(self.important.numpy(), self.extra_bits)
        head = _head_size(tuple(x.shape), self.steps.numel())
        sizes = ByteSizes(
            fp32=4 * x.numel(),
            codes=codes.data,
            refinement=data,
            tables=head + codes.table + table + LENGTH.size * refined,
            scales=4 * self.steps.numel(),
        )
        return q.mul_(along_channels(self.steps, x, self.channel_dim)), sizes

    def _refinement_bytes(self, q: Tensor) -> tuple[int, int]:
        """Bytes of the code tables and of the coded shifting errors, from their counts."""
        if not self.extra_bits or not len(self._chosen):
            return 0, 0
        symbols, channels = 1 << self.extra_bits, len(self.important)
        integers = torch.int16 if symbols * channels <= 1 << 15 else torch.int32
        offsets = symbols * torch.arange(channels, dtype=integers)
        errors = q.to(integers).bitwise_and_(symbols - 1)
        errors += along_channels(offsets, q, self.channel_dim)
        counts = torch.bincount(in_memory_order(errors), minlength=symbols * channels)
        chosen = counts.view(channels, symbols)[self._chosen]
        payloads = [huffman.payload_size(row) for row in chosen.numpy()]
        return sum(p.table for p in payloads), sum(p.data for p in payloads)


def fit_dqa(
    x: Tensor, bits: int, extra_bits: int, important: Tensor, channel_dim: int = 1
) -> DQAQuantizer:
    """DQA's steps for `x`: Δ_{n+m} = max|A_c| / 2^(n+m-1) on important channels, else Δ_n."""
    _check_bits(bits, extra_bits)
    channels = x.shape[channel_axis(x, channel_dim)]
    if important.dtype != torch.bool or important.shape != (channels,):
        raise QuantlibError(
            f"The important channels have to be a bool mask of {channels} entries, "
            f"not {important.dtype} of shape {tuple(important.shape)}."
        )
    return dqa_from_magnitude(
        largest_magnitude(x, channel_dim), bits, extra_bits, important, channel_dim
    )


def dqa_from_magnitude(
    magnitude: Tensor, bits: int, extra_bits: int, important: Tensor, channel_dim: int
) -> DQAQuantizer:
    """DQA with max|A_c| given as `(C,)`, as calibration leaves it."""
    narrow = BitWidth(bits)
    divisor = torch.where(important, narrow.widened(extra_bits).magnitude, narrow.magnitude)
    return DQAQuantizer(step_size(magnitude, divisor), important, bits, extra_bits, channel_dim)


def encode(
    x: Tensor, bits: int, extra_bits: int, important: Tensor, channel_dim: int = 1
) -> DQATensor:
    """Encode `x` with one scale per channel over the whole tensor (DQA, algorithm 1).

    `bits` is 2 to 8, `extra_bits` 0 to 4, `important` a bool mask over the channels.

    >>> x = torch.tensor([[[0.9, -1.0, 0.3, 0.0]], [[0.9, -1.0, 0.3, 0.0]]]).view(1, 2, 1, 4)
    >>> coded = encode(x, bits=3, extra_bits=3, important=torch.tensor([True, False]))
    >>> coded.decode().flatten().tolist()
    [0.90625, -1.0, 0.3125, 0.0, 0.75, -1.0, 0.25, 0.0]
    >>> coded.nbytes == len(coded.to_bytes())
    True
    """
    x = torch.as_tensor(x).detach().float().cpu()
    important = torch.as_tensor(important)
    return fit_dqa(x, bits, extra_bits, important, channel_dim).encode(x)


def _check_bits(bits: int, extra_bits: int) -> None:
    if not 2 <= bits <= 8:
        raise QuantlibError(f"DQA takes 2 to 8 bits, not {bits}.")
    if not 0 <= extra_bits <= 4:
        raise QuantlibError(f"DQA takes 0 to 4 extra bits, not {extra_bits}.")


def _refined_channels(important: np.ndarray, extra_bits: int) -> int:
    return int(important.sum()) if extra_bits else 0


def _head_size(shape: tuple[int, ...], channels: int) -> int:
    return _HEADER.size + 4 * len(shape) + -(-channels // 8)


def _data_bytes(payload: bytes) -> int:
    return len(payload) - huffman.table_bytes(payload)
