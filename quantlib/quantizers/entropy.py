"""Uniform reconstruction with a dead zone, and all codes entropy-coded."""

import struct
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from quantlib.coding import ans
from quantlib.errors import QuantlibError
from quantlib.quantizers.channels import (
    along_channels,
    by_channel,
    channel_axis,
    require_finite,
)
from quantlib.quantizers.packed import claimed_elements, element_count
from quantlib.quantizers.quantizer import Quantizer
from quantlib.quantizers.sizes import ByteSizes

ROUNDING = 0.4
LARGEST_CODE = (1 << 15) - 1
_HEADER = struct.Struct("<4sBBI")
_MAGIC = b"ECQ1"
_CENTROIDS = 2


@dataclass(frozen=True, eq=False)
class EntropyTensor:
    """A tensor of entropy-coded codes q, with what decoding needs.

    `steps` is Δ, float32 `(C,)` or `(1,)`; `centroids`, float32 `(2,)`, says where in their bins
    the values with |q| = 1 and with |q| ≥ 2 lie on average: x̂ = sign(q)·(|q| + centroid)·Δ.
    `payload` holds the codes by ANS, a row with its own frequencies per channel or one row for all.
    """

    shape: tuple[int, ...]
    channel_dim: int
    steps: np.ndarray
    centroids: np.ndarray
    payload: bytes

    def decode(self) -> Tensor:
        """float32 values, exactly those of the fake quantization."""
        others = [side for axis, side in enumerate(self.shape) if axis != self.channel_dim]
        elements = element_count(self.shape)
        rows = ans.decode(self.payload, elements)
        if rows.size != elements:
            raise _damaged()
        codes = rows.reshape(self.shape[self.channel_dim], *others)
        codes = torch.from_numpy(np.ascontiguousarray(np.moveaxis(codes, 0, self.channel_dim)))
        steps, centroids = torch.from_numpy(self.steps), torch.from_numpy(self.centroids)
        return _values(codes.float(), steps, centroids, self.channel_dim)

    @cached_property
    def sizes(self) -> ByteSizes:
        tables = ans.table_bytes(self.payload)
        return ByteSizes(
            fp32=4 * element_count(self.shape),
            codes=len(self.payload) - tables,
            tables=_HEADER.size + 4 * len(self.shape) + tables,
            scales=4 * (self.steps.size + _CENTROIDS),
        )

    @property
    def nbytes(self) -> int:
        """Length of `to_bytes()`."""
        return self.sizes.total

    def to_bytes(self) -> bytes:
        head = _HEADER.pack(_MAGIC, len(self.shape), self.channel_dim, self.steps.size)
        shape = struct.pack(f"<{len(self.shape)}I", *self.shape)
        return head + shape + self.steps.tobytes() + self.centroids.tobytes() + self.payload

    @classmethod
    def from_bytes(cls, stored: bytes, limit: int | None = None) -> "EntropyTensor":
        """The inverse of `to_bytes`; QuantlibError for damage and more elements than `limit`."""
        try:
            magic, ndim, channel_dim, count = _HEADER.unpack_from(stored)
            if magic != _MAGIC:
                raise QuantlibError("These bytes are not an entropy-coded tensor; nothing decoded.")
            shape = struct.unpack_from(f"<{ndim}I", stored, _HEADER.size)
            at = _HEADER.size + 4 * ndim
            steps = np.frombuffer(stored, "<f4", count, at).copy()
            centroids = np.frombuffer(stored, "<f4", _CENTROIDS, at + 4 * count).copy()
            channels = shape[channel_dim]
        except (struct.error, ValueError, IndexError) as error:
            raise _damaged() from error
        claimed_elements(shape, stored, limit)
        finite = np.isfinite(steps).all() and np.isfinite(centroids).all()
        if count not in (1, channels) or not finite or not (steps > 0).all():
            raise _damaged()
        payload = stored[at + 4 * (count + _CENTROIDS) :]
        return cls(shape, channel_dim, steps, centroids, payload)


@dataclass(frozen=True, eq=False)
class EntropyQuantizer(Quantizer):
    """q = sign(x)·⌊|x|/Δ + θ⌋, without clipping; x̂ lies at the centroid of the values of its code.

    `steps` is Δ > 0, a scalar or `(C,)`. θ = `rounding`: ½ rounds to the nearest level, less makes
    the zone of zero wider, which costs little accuracy and saves bytes. Source: the uniform
    reconstruction with dead zone of video coding (Sullivan, IEEE Trans. CSVT 1996).

    >>> quantizer = EntropyQuantizer(torch.tensor(1.0), channel_dim=0)
    >>> x = torch.tensor([[-1.2, 0.3, 0.58, 2.7]])
    >>> quantizer.to_int(x).tolist()
    [[-1, 0, 0, 3]]
    >>> torch.equal(quantizer.encode(x).decode(), quantizer(x))
    True
    """

    steps: Tensor
    rounding: float = ROUNDING
    channel_dim: int = 1

    def _codes(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Codes as floats, and the centroids `(2,)`."""
        scaled = x / along_channels(self.steps, x, self.channel_dim)
        magnitude = scaled.abs()
        require_finite(magnitude)
        codes = (magnitude + self.rounding).floor_().clamp_(max=LARGEST_CODE)
        beyond = magnitude.sub_(codes)
        centroids = torch.stack([_mean(beyond, codes == 1), _mean(beyond, codes > 1)])
        return codes.copysign_(scaled), centroids

    def __call__(self, x: Tensor) -> Tensor:
        codes, centroids = self._codes(x)
        return _values(codes, self.steps, centroids, self.channel_dim)

    def to_int(self, x: Tensor) -> Tensor:
        return self._codes(x)[0].int()

    def encode(self, x: Tensor) -> EntropyTensor:
        return self._encoded(*self._codes(x))

    def measure(self, x: Tensor) -> tuple[Tensor, ByteSizes]:
        codes, centroids = self._codes(x)
        sizes = self._encoded(codes, centroids).sizes
        return _values(codes, self.steps, centroids, self.channel_dim), sizes

    def estimate(self, x: Tensor) -> tuple[Tensor, float]:
        """The quantized values, and what `encode` takes in bits by the frequencies of the codes."""
        codes, centroids = self._codes(x)
        counts = _counts(by_channel(codes, self.channel_dim))
        bits = self._stored_bits(counts, x.dim())
        return _values(codes, self.steps, centroids, self.channel_dim), bits

    def bits_of(self, sample: Tensor, length: int, dimensions: int = 4) -> float:
        """What `encode` takes of channels of `length` values, a part of which is `sample` `(C, n)`.

        `dimensions` are those of the whole tensor.
        """
        codes, _ = replace(self, channel_dim=0)._codes(sample)
        return self._stored_bits(_counts(codes), dimensions, length / max(sample.shape[1], 1))

    def _stored_bits(self, counts: Tensor, dimensions: int, times: float = 1.0) -> float:
        head = 8 * (_HEADER.size + 4 * (dimensions + self.steps.numel() + _CENTROIDS))
        return min(_bits(counts, times), _bits(counts.sum(0, keepdim=True), times)) + head

    def _encoded(self, codes: Tensor, centroids: Tensor) -> EntropyTensor:
        rows = by_channel(codes, self.channel_dim)
        counts = _counts(rows)
        if _bits(counts.sum(0, keepdim=True)) <= _bits(counts):
            rows = rows.reshape(1, -1)
        return EntropyTensor(
            tuple(codes.shape),
            channel_axis(codes, self.channel_dim),
            self.steps.reshape(-1).float().numpy(),
            centroids.numpy(),
            ans.encode(rows.int().numpy()),
        )


def _values(codes: Tensor, steps: Tensor, centroids: Tensor, channel_dim: int) -> Tensor:
    """x̂ = sign(q)·(|q| + centroid)·Δ."""
    magnitude = codes.abs()
    magnitude += torch.where(magnitude > 1, centroids[1], centroids[0]).mul_(magnitude > 0)
    if steps.numel() > 1:
        steps = along_channels(steps, codes, channel_dim)
    return magnitude.mul_(codes.sign()).mul_(steps)


def _mean(values: Tensor, where: Tensor) -> Tensor:
    return (values * where).sum() / where.sum().clamp_min(1)


def _counts(rows: Tensor) -> Tensor:
    """How often each code occurs in each of `rows` `(R, N)`, `(R, S)` from the smallest code on."""
    if not rows.numel():
        return rows.new_zeros(len(rows), 1)
    codes = rows.long()
    codes -= codes.min()
    symbols = int(codes.max()) + 1
    codes += symbols * torch.arange(len(codes))[:, None]
    return codes.flatten().bincount(minlength=symbols * len(codes)).view(-1, symbols)


def _bits(counts: Tensor, times: float = 1.0) -> float:
    """What ANS makes of rows with these `counts` `(R, S)`, repeated `times`, and of the tables."""
    length = counts[0].sum().clamp_min(1)
    shares = counts / length
    entropy = -(counts * shares.clamp_min(1e-12).log2()).sum()
    met = counts > 0
    inside = (met.cumsum(1) > 0) & (met.flip(1).cumsum(1).flip(1) > 0)
    long = shares >= 128 / (1 << ans.PRECISION)
    return times * float(entropy) + 8 * (int(inside.sum()) + int(long.sum()) + 3 * len(counts))


def _damaged() -> QuantlibError:
    return QuantlibError("The entropy-coded tensor is cut off or damaged.")
