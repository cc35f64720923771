"""Operations that quantization adds to a network, counted per element."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from quantlib.ptq.network import QuantizedNetwork
from quantlib.ptq.settings import Settings
from quantlib.qat.layers.copying import structural_copy
from quantlib.qat.layers.quantized import QuantConv2d, QuantLinear
from quantlib.qat.scheme import quantized_products
from quantlib.quantizers.sizes import ByteSizes


@dataclass(frozen=True)
class OperationCounts:
    """What one picture costs beyond the network's own multiply-accumulates (`macs`).

    `quantize` and `dequantize` are one multiplication per element (with rounding and clipping, or
    without), `shift` one shift and one mask per element of an important channel, `encode` and
    `decode` one symbol of an entropy coder each, of the shifting errors and, where they are coded
    too, of the base codes.
    """

    macs: int
    quantize: int
    shift: int
    encode: int
    decode: int
    dequantize: int


def count_operations(
    network: QuantizedNetwork, x: Tensor, sites: Mapping[str, ByteSizes]
) -> OperationCounts:
    """Operations for the input `x` whose activations have the byte sizes `sites`."""
    settings = network.settings
    elements = sum(size.fp32 // 4 for size in sites.values())
    refined = 0
    if settings.needs_ranking and settings.extra_bits:
        for site in network.site_network.sites:
            share = network.masks[site.name].float().mean().item()
            refined += round(share * sites[site.name].fp32 / 4)
    if not settings.entry.quantizes:
        elements = 0
    return operation_counts(settings, count_macs(network, x), elements, refined)


def operation_counts(settings: Settings, macs: int, elements: int, refined: int) -> OperationCounts:
    """Operations for that many `elements`, of which `refined` have a shifting error."""
    coded = refined + (elements if settings.entry.codes_base else 0)
    return OperationCounts(macs, elements, refined, coded, coded, elements)


def count_macs(network: QuantizedNetwork, x: Tensor) -> int:
    """Multiply-accumulates of the full-precision network (half of the FLOPs that torch counts)."""
    return macs_of(lambda: network.site_network(x))


def macs_of(work: Callable[[], object]) -> int:
    """Multiply-accumulates of what `work` computes with PyTorch.

    >>> macs_of(lambda: torch.ones(2, 3) @ torch.ones(3, 4))
    24
    """
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        work()
    return counter.get_total_flops() // 2


@dataclass(frozen=True)
class MacCounts:
    """Multiply-accumulates of one pass, by what they multiply.

    `quantized` counts products of quantized weights and quantized inputs, `full` all others;
    `bit_operations` weighs each by the bits of both factors (32 × 32 in FP32).
    """

    quantized: int
    full: int
    bit_operations: int

    @property
    def saved(self) -> float:
        """Share of the bit operations of the same pass in FP32 that is saved, 0 to 1."""
        return 1 - self.bit_operations / ((self.quantized + self.full) * 32 * 32)


def counted_pass(network: nn.Module, x: Tensor) -> tuple[Tensor, MacCounts]:
    """What `network` makes of `x`, without gradients, and the multiply-accumulates of that pass.

    Counted layer by layer are convolutions, linear layers and, as a whole, the products of
    activations with each other in attention layers; sums, shifts and rounding are left out.

    >>> from quantlib.models.architectures.edsr import EDSR
    >>> counted_pass(EDSR(2, features=4, blocks=1), torch.zeros(1, 3, 8, 8))[1].quantized
    0
    """
    counts = {"quantized": 0, "full": 0, "bit_operations": 0}

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        weight: Tensor = layer.weight  # type: ignore[assignment]
        macs = output.numel() * weight[0].numel()
        scheme = layer.scheme if isinstance(layer, (QuantConv2d, QuantLinear)) else None
        integer = scheme is not None and scheme.activation_bits > 0
        bits = scheme.weight_bits * scheme.activation_bits if scheme and integer else 32 * 32
        counts["quantized" if integer else "full"] += macs
        counts["bit_operations"] += macs * bits

    network = structural_copy(network)
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.register_forward_hook(count)
    made: list[Tensor] = []
    total = macs_of(lambda: made.append(network(x)))
    products = total - counts["quantized"] - counts["full"]
    schemes = [layer.scheme for layer in quantized_products(network).values()]
    bits = schemes[0].activation_bits if schemes else 32
    counts["quantized" if schemes else "full"] += products
    counts["bit_operations"] += products * bits * bits
    return made[0], MacCounts(**counts)
