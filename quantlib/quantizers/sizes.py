"""Bytes of one quantized tensor, by what they are spent on."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ByteSizes:
    """Sizes in bytes; `total` is the length of the serialised tensor, `fp32` what it replaces.

    >>> (ByteSizes(fp32=400, codes=50) + ByteSizes(fp32=400, codes=50, scales=4)).total
    104
    """

    fp32: int = 0
    codes: int = 0
    refinement: int = 0
    tables: int = 0
    scales: int = 0

    @property
    def total(self) -> int:
        """Everything that decoding needs; code tables and headers are counted as `tables`."""
        return self.codes + self.refinement + self.tables + self.scales

    @property
    def bits_per_activation(self) -> float:
        return 32 * self.total / self.fp32 if self.fp32 else 0.0

    def __add__(self, other: "ByteSizes") -> "ByteSizes":
        return ByteSizes(
            self.fp32 + other.fp32,
            self.codes + other.codes,
            self.refinement + other.refinement,
            self.tables + other.tables,
            self.scales + other.scales,
        )


def add_sizes(total: dict[str, ByteSizes], spent: Mapping[str, ByteSizes]) -> None:
    """Adds to `total`, in place, what each site of a network `spent`.

    >>> total = {"a": ByteSizes(codes=3)}
    >>> add_sizes(total, {"a": ByteSizes(codes=1), "b": ByteSizes(codes=5)})
    >>> total["a"].codes, total["b"].codes
    (4, 5)
    """
    for name, sizes in spent.items():
        total[name] = total.get(name, ByteSizes()) + sizes
