"""Operations that quantization adds to a network, counted per element."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from quantlib.ptq.network import QuantizedNetwork
from quantlib.quantizers.sizes import ByteSizes


@dataclass(frozen=True)
class OperationCounts:
    """What one picture costs beyond the network's own multiply-accumulates (`macs`).

    `quantize` and `dequantize` are one multiplication per element (with rounding and clipping, or
    without), `shift` one shift and one mask per element of an important channel, `encode` and
    `decode` one Huffman symbol each.
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
    if settings.method == "dqa" and settings.extra_bits:
        for site in network.site_network.sites:
            share = network.masks[site.name].float().mean().item()
            refined += round(share * sites[site.name].fp32 / 4)
    if settings.method == "fp32":
        elements = 0
    macs = count_macs(network, x)
    return OperationCounts(macs, elements, refined, refined, refined, elements)


def count_macs(network: QuantizedNetwork, x: Tensor) -> int:
    """Multiply-accumulates of the full-precision network (half of the FLOPs that torch counts)."""
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network.site_network(x)
    return counter.get_total_flops() // 2
