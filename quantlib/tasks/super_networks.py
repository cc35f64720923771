"""What the blocks of a depth-dynamic network are worth, one sub-network at a time."""

import copy
import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.evaluation.ledger import weight_sizes
from quantlib.evaluation.operations import MacCounts, counted_pass
from quantlib.evaluation.quality import psnr_y
from quantlib.imaging.tensors import to_tensor, to_uint8
from quantlib.models import SRNetwork
from quantlib.qat.adapting.start import start_input, start_weight
from quantlib.qat.depth import DepthDynamic
from quantlib.qat.layers.quantized import QuantConv2d
from quantlib.qat.scheme import Scheme, quantize_layers
from quantlib.quantizers.sizes import ByteSizes


@dataclass(frozen=True, eq=False)
class SubNetwork:
    """One picture through the blocks `kept`; the others are skipped, their shortcuts stay.

    `rgb` is the result `uint8 (S·H, S·W, 3)`, `psnr_y` in dB where the truth is known, `weights`
    the bytes of what is left of the network.
    """

    kept: tuple[int, ...]
    rgb: np.ndarray
    psnr_y: float | None
    macs: MacCounts
    weights: ByteSizes


def super_network(network: SRNetwork) -> DepthDynamic:
    """The depth-dynamic network inside, or a QuantlibError."""
    inner = network.network
    if not (isinstance(inner, DepthDynamic) and inner.has_depths):
        raise QuantlibError(
            f"{network.name} has one depth only; choose a quantsr-c or quantsr-t network."
        )
    return inner


@torch.no_grad()
def with_8bit_ends(network: SRNetwork, low: np.ndarray) -> SRNetwork:
    """A copy whose convolutions outside the blocks have 8-bit weights and inputs, untrained.

    Their steps are those that are nearest to what `low`, `uint8 (H, W, 3)`, makes of them.
    """
    inner = copy.deepcopy(super_network(network))
    blocks = nn.ModuleList(inner.residual_blocks)
    inside = set(blocks.modules())
    ends = [n for n, m in inner.named_modules() if isinstance(m, nn.Conv2d) and m not in inside]
    quantize_layers(inner, dict.fromkeys(ends, Scheme("rlq", 8, 8)))
    hooks = [inner.get_submodule(name).register_forward_pre_hook(_start) for name in ends]
    made = network.around(inner)
    made(to_tensor(low))
    for hook in hooks:
        hook.remove()
    return made


def _start(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    assert isinstance(layer, QuantConv2d)
    start_input(layer, inputs[0])
    start_weight(layer)


def skip_order(network: SRNetwork) -> list[int]:
    """All blocks, the first to be skipped first: those with the largest learned shortcuts."""
    order: list[int] = super_network(network).block_order.tolist()
    return order[::-1]


def random_blocks(blocks: int, kept: int, seed: int) -> tuple[int, ...]:
    """`kept` of `blocks` blocks, drawn at random, in the order of the network.

    >>> random_blocks(16, 16, seed=1) == tuple(range(16))
    True
    """
    return tuple(sorted(random.Random(seed).sample(range(blocks), kept)))


def through_blocks(
    network: SRNetwork, kept: Sequence[int], low: np.ndarray, truth: np.ndarray | None
) -> SubNetwork:
    """`low`, `uint8 (H, W, 3)`, through the network with only the blocks `kept`."""
    part = network.around(super_network(network).with_blocks(kept))
    output, macs = counted_pass(part, to_tensor(low))
    rgb = to_uint8(output)
    quality = None if truth is None else psnr_y(rgb, truth, network.scale)
    return SubNetwork(tuple(kept), rgb, quality, macs, weight_sizes(part))
