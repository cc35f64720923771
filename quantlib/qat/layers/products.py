"""The two products of an attention layer, of quantized factors."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from quantlib.qat.scheme import Scheme

FACTORS = "factors"
PRODUCTS = 2  # queries · keys, and attention · values
_MATMUL = (torch.matmul, Tensor.matmul, Tensor.__matmul__)


class QuantProducts(nn.Module):
    """An attention layer whose products have both factors quantized, otherwise as it was.

    `factors` holds the quantizers of the left and the right factor, product after product in the
    order in which the layer computes them; a layer that computes more shares the last pair.
    """

    factors: nn.ModuleList
    scheme: "Scheme"

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        with _Quantizing(list(self.factors)):  # type: ignore[arg-type]
            return super().forward(*args, **kwargs)


class _Quantizing(TorchFunctionMode):
    def __init__(self, pairs: Sequence[Sequence[nn.Module]]) -> None:
        super().__init__()
        self.pairs, self.done = pairs, 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func in _MATMUL:
            left, right = self.pairs[min(self.done, len(self.pairs) - 1)]
            self.done += 1
            args = (left(args[0]), right(args[1]))
        return func(*args, **(kwargs or {}))


def is_attention(layer: nn.Module) -> bool:
    """Whether a layer is one whose products can be quantized, which only its name can tell."""
    return type(layer).__name__.endswith("Attention")


def with_quantized_products(layer: nn.Module, scheme: "Scheme") -> QuantProducts:
    """`layer` with shared weights, its products quantized by `scheme`, one step for each factor."""
    made = nn.Module.__new__(_quantizing(type(layer)))
    made.__dict__.update({**layer.__dict__, "_modules": dict(layer._modules)})
    pairs = [[scheme.for_factor(), scheme.for_factor()] for _ in range(PRODUCTS)]
    made.factors = nn.ModuleList(nn.ModuleList(pair) for pair in pairs)
    made.scheme = scheme
    return made


@cache
def _quantizing(kind: type[nn.Module]) -> type[QuantProducts]:
    return type(f"Quant{kind.__name__}", (QuantProducts, kind), {})
