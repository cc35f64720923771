"""QuantSR-C as its authors release it (Qin et al., QuantSR, NeurIPS 2023).

An EDSR with learned shortcuts that sees pictures from 0 to 255 without the mean of DIV2K, with RLQ
on both convolutions of every block. A released checkpoint says neither its bits nor the order of
its blocks: the first are taken from the name of the file, the second from the authors' test script.
"""

import re
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from quantlib.errors import QuantlibError
from quantlib.models.architecture import Architecture
from quantlib.models.architectures import edsr
from quantlib.models.architectures.edsr import EDSR
from quantlib.models.card import SUPER_RESOLUTION
from quantlib.models.checkpoint import Checkpoint
from quantlib.models.sr_network import SRNetwork
from quantlib.qat.depth import DEPTHS, importance_order
from quantlib.qat.layers.placement import residual_schemes
from quantlib.qat.rlq import SMALLEST_STEP
from quantlib.qat.scheme import Scheme, quantize_layers

DIV2K_MEAN = (0.4488, 0.4371, 0.4040)
PEAK = 255.0
RELEASED_BITS = 4

PUBLISHED_ORDER = (
    *(31, 30, 29, 8, 27, 13, 28, 15, 7, 10, 18, 17, 19, 20, 22, 6),
    *(11, 16, 12, 23, 24, 25, 21, 14, 9, 26, 5, 4, 3, 2, 1, 0),
)  # fmt: skip
"""Blocks of the authors' ×4 network of 4 bits by falling importance, as their test sets them."""


class QuantSR(EDSR):
    """The authors' QuantSR-C: an EDSR that computes in units of 0 to 255, around a mean picture.

    Takes and returns RGB `float32 (N, 3, H, W)` in [0, 1] like every network here. Of B blocks,
    "half" keeps ⌊B/2⌋ + 1 and "quarter" ⌊B/4⌋ + 1, one more than an EDSR trained here.

    >>> network = QuantSR(scale=2, features=4, blocks=8)
    >>> [len(network.kept_blocks(depth)) for depth in ("full", "half", "quarter")]
    [8, 5, 3]
    """

    mean: Tensor

    def __init__(self, scale: int, features: int = 64, blocks: int = 32) -> None:
        super().__init__(scale, features, blocks, learnable_shortcuts=True)
        self.register_buffer("mean", torch.tensor(DIV2K_MEAN).view(3, 1, 1))

    def kept_blocks(self, depth: str) -> list[int]:
        """The blocks that a depth computes: the authors' scripts skip from place ⌊B/2⌋ + 1 on."""
        fewer = super().kept_blocks(depth)
        order = self.block_order.tolist()
        return sorted({*fewer, *order[: len(order) // DEPTHS[depth] + 1]})

    def forward(self, x: Tensor) -> Tensor:
        return super().forward((x - self.mean) * PEAK) / PEAK + self.mean


def recognises(weights: Mapping[str, Tensor]) -> bool:
    """Whether the names are those of a released checkpoint, or of a `QuantSR` exported here."""
    exported = "mean" in weights and edsr.recognises(weights)
    return exported or any(re.match(r"body\.\d+\..*\.ActOurs\.", name) for name in weights)


def from_state_dict(
    weights: Mapping[str, Tensor],
    block_order: Sequence[int] | None = None,
    bits: tuple[int, int] = (RELEASED_BITS, RELEASED_BITS),
) -> QuantSR:
    """The network of a released checkpoint, or the float weights of one that was exported here.

    `block_order` names all blocks by falling importance; without it the authors' order stands for
    32 blocks ×4 at 4 bits, and the learned shortcuts decide elsewhere. `bits` are those of weights
    and activations. A step that is not positive, a name that does not belong, or an order that is
    not one raises a `QuantlibError`, a missing name a `KeyError`.

    >>> twin = from_state_dict(QuantSR(3, features=4, blocks=2).state_dict(), block_order=[1, 0])
    >>> twin.scale, twin.block_order.tolist()
    (3, [1, 0])
    """
    if "mean" in weights:
        network = QuantSR(*edsr.sizes(weights))
        network.load_state_dict(dict(weights))
    else:
        network = _released(weights, bits)
    if block_order is not None:
        if sorted(block_order) != list(range(len(network.residual_blocks))):
            raise QuantlibError(
                f"An order of blocks names each of 0 to {len(network.residual_blocks) - 1} once; "
                f"{list(block_order)} does not."
            )
        network.block_order.copy_(torch.tensor(block_order))
    return network


def bits_in(file: str) -> tuple[int, int] | None:
    """Bits of weights and activations that a file name states as `2bit` or `w2a4`.

    >>> bits_in("QuantSR_C_x4_2bit.pth"), bits_in("x2-w4a8.pth"), bits_in("net_g_latest.pth")
    ((2, 2), (4, 8), None)
    """
    if both := re.search(r"(?<![a-z0-9])w(\d+)a(\d+)(?![a-z0-9])", file.lower()):
        return int(both[1]), int(both[2])
    one = re.search(r"(\d+)[-_ ]?bit", file.lower())
    return (int(one[1]), int(one[1])) if one else None


def _released(weights: Mapping[str, Tensor], bits: tuple[int, int]) -> QuantSR:
    state = _translated(weights)
    network = QuantSR(*edsr.sizes(state))
    quantize_layers(network, residual_schemes(network, Scheme("rlq", *bits)))
    network.load_state_dict(state | dict(network.named_buffers()))
    same_as_published = network.scale == 4 and bits == (RELEASED_BITS, RELEASED_BITS)
    if same_as_published and len(network.residual_blocks) == len(PUBLISHED_ORDER):
        order = list(PUBLISHED_ORDER)
    else:
        order = importance_order(network.shortcuts.detach())
    network.block_order.copy_(torch.tensor(order))
    return network


def _translated(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A released state dict under the names that the quantized `QuantSR` has for it."""
    left = {k: v for k, v in weights.items() if not k.endswith(".init_state")}
    blocks = 1 + max(int(k.split(".")[1]) for k in left if re.match(r"body\.\d+\.", k))
    state: dict[str, Tensor] = {}

    def take_layer(theirs: str, ours: str) -> None:
        for part in ("weight", "bias"):
            state[f"{ours}.{part}"] = left.pop(f"{theirs}.{part}")

    def take_step(theirs: str, ours: str, signed: Tensor) -> None:
        state[f"{ours}.raw_step"] = _step(theirs, left.pop(theirs)) - SMALLEST_STEP
        initialised = torch.ones_like(signed)
        state[f"{ours}._extra_state"] = torch.stack([signed, initialised]).to(torch.int8)

    take_layer("conv_first", "head.0")
    for i in range(blocks):
        for theirs, ours in (
            (f"body.{i}.conv1", f"body.{i}.body.0"),
            (f"body.{i}.conv2", f"body.{i}.body.2"),
        ):
            take_layer(theirs, ours)
            take_step(f"{theirs}.alpha", f"{ours}.weight_quantizer", torch.tensor(1.0))
            signed = (left.pop(f"{theirs}.ActOurs.signed") == 1).float().reshape(())
            take_step(f"{theirs}.ActOurs.alpha", f"{ours}.activation", signed)
            state[f"{ours}.activation.shift"] = left.pop(f"{theirs}.channel_threshold").flatten()
        state[f"body.{i}.shortcut"] = left.pop(f"body.{i}.learnable_shortcut").reshape(())
    take_layer("conv_after_body", f"body.{blocks}")
    take_layer("upsample.0", "tail.0.0")
    if "upsample.2.weight" in left:
        take_layer("upsample.2", "tail.0.2")
    take_layer("conv_last", "tail.1")
    if left:
        raise QuantlibError(
            f"A QuantSR-C checkpoint for ×2, ×3 or ×4 has no {min(left)}; choose a released one."
        )
    return state


def _step(name: str, alpha: Tensor) -> Tensor:
    """One positive step; a negative one turns the unequal ends of its levels around."""
    if alpha.numel() != 1:
        raise QuantlibError(f"{name} has {alpha.numel()} steps; choose a checkpoint with one each.")
    if alpha.item() < SMALLEST_STEP:
        raise QuantlibError(
            f"The step {name} is {alpha.item():.3g}, which mirrors or empties its levels; "
            "choose a checkpoint whose steps are positive."
        )
    return alpha.float().reshape(())


def build(checkpoint: Checkpoint) -> SRNetwork:
    file, weights = checkpoint.name, checkpoint.weights
    bits = checkpoint.bits or bits_in(file) or (RELEASED_BITS, RELEASED_BITS)
    network = edsr.in_channels_last(from_state_dict(weights, bits=bits), "QuantSR-C")
    if "mean" not in weights and not checkpoint.bits:
        where = f"the name of {file}" if bits_in(file) else "the authors' usual setting"
        network.notes = (
            f"The weights say their bits nowhere; W{bits[0]}A{bits[1]} is taken from {where}. Add "
            "?bits=2 to the name for others.",
        )
    return network


ARCHITECTURE = Architecture(
    "QuantSR-C",
    SUPER_RESOLUTION,
    recognises,
    build,
    recognised="QuantSR-C as its authors save it",
    takes_bits=True,
)
