"""What every quantizer can do."""

from abc import ABC, abstractmethod
from typing import Protocol

from torch import Tensor

from quantlib.quantizers.sizes import ByteSizes


class EncodedTensor(Protocol):
    """Real packed bytes that decode to the quantized values."""

    @property
    def sizes(self) -> ByteSizes: ...

    def decode(self) -> Tensor: ...

    def to_bytes(self) -> bytes: ...


class Quantizer(ABC):
    """A quantizer whose scales are known. Values are `float32`, of any shape."""

    @abstractmethod
    def __call__(self, x: Tensor) -> Tensor:
        """The quantized values of `x`, still as floats (fake quantization)."""

    @abstractmethod
    def to_int(self, x: Tensor) -> Tensor:
        """The integer codes of `x`, `int32`."""

    @abstractmethod
    def encode(self, x: Tensor) -> EncodedTensor:
        """The packed bytes of `x`."""

    def encode_each(self, site: str, x: Tensor) -> dict[str, EncodedTensor]:
        """The packed bytes of `x` at `site`, by name; learned quantizers have one per layer."""
        return {site: self.encode(x)}

    @abstractmethod
    def measure(self, x: Tensor) -> tuple[Tensor, ByteSizes]:
        """The quantized values and the exact sizes that `encode` would have."""
