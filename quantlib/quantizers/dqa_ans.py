"""DQA whose n-bit codes are entropy-coded too, by ANS with a row of frequencies per channel.

Its values are those of DQA. DQA packs its codes, so their bytes do not depend on what they are;
here a channel whose codes are mostly zero takes few bytes.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from quantlib.coding import ans
from quantlib.coding.packing import code_range
from quantlib.errors import QuantlibError
from quantlib.quantizers.channels import by_channel
from quantlib.quantizers.dqa import LENGTH, CodeSizes, DQAQuantizer, DQATensor
from quantlib.quantizers.packed import element_count


@dataclass(frozen=True, eq=False)
class AnsDQATensor(DQATensor):
    """A DQATensor whose `codes` are a payload of `quantlib.coding.ans`, a row per channel."""

    magic: ClassVar[bytes] = b"DQA2"

    def _code_rows(self) -> np.ndarray:
        channels, elements = self.steps.size, element_count(self.shape)
        rows = ans.decode(self.codes, elements)
        low, high = code_range(self.bits, signed=True)
        if rows.shape != (channels, elements // max(channels, 1)) or (
            rows.size and not low <= rows.min() <= rows.max() <= high
        ):
            raise QuantlibError("The codes of a DQA tensor are damaged.")
        return rows

    def _code_sizes(self) -> CodeSizes:
        return _sizes(self.codes)

    def _stored_codes(self) -> bytes:
        return LENGTH.pack(len(self.codes)) + self.codes

    @classmethod
    def _read_codes(cls, payload: bytes, at: int, elements: int, bits: int) -> tuple[bytes, int]:
        (length,) = LENGTH.unpack_from(payload, at)
        start = at + LENGTH.size
        return payload[start : start + length], start + length


@dataclass(frozen=True, eq=False)
class AnsDQAQuantizer(DQAQuantizer):
    """DQA with known steps, whose codes are stored by ANS.

    >>> import torch
    >>> from quantlib.quantizers.dqa import fit_dqa
    >>> x = torch.zeros(1, 2, 64, 64)
    >>> x[0, :, 0, 0] = 1.0
    >>> plain = fit_dqa(x, 4, 2, torch.tensor([True, False]))
    >>> coded = with_coded_codes(plain)
    >>> torch.equal(coded.encode(x).decode(), plain(x))
    True
    >>> coded.encode(x).nbytes < plain.encode(x).nbytes / 3
    True
    """

    tensor: ClassVar[type[DQATensor]] = AnsDQATensor

    def _coded_codes(self, codes: Tensor) -> bytes:
        return ans.encode(by_channel(codes, self.channel_dim).numpy())

    def _code_sizes(self, q: Tensor) -> CodeSizes:
        return _sizes(self._coded_codes(self.split(q)[0]))


def with_coded_codes(quantizer: DQAQuantizer) -> AnsDQAQuantizer:
    """`quantizer` with the same steps and values, but codes stored by ANS."""
    return AnsDQAQuantizer(
        quantizer.steps,
        quantizer.important,
        quantizer.bits,
        quantizer.extra_bits,
        quantizer.channel_dim,
    )


def _sizes(payload: bytes) -> CodeSizes:
    tables = ans.table_bytes(payload)
    return CodeSizes(len(payload) - tables, LENGTH.size + tables)
