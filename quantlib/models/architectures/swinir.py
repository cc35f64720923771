"""SwinIR (Liang et al., ICCVW 2021, arXiv 2108.10257) as `spandrel` has it, and its depths.

With learned shortcuts around its residual Swin groups it is the network of QuantSR-T (Qin et al.,
QuantSR, NeurIPS 2023). Its code is not released; the groups are treated as the released QuantSR-C
treats its residual blocks: s·x + group(x), of which a skipped group leaves s·x.
"""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.models.architecture import Architecture, Placement, Sizes, SRTraining
from quantlib.models.card import SUPER_RESOLUTION
from quantlib.models.checkpoint import Checkpoint
from quantlib.models.sr_network import SizeRule, SRNetwork, require_rgb
from quantlib.qat.layers.placement import swin_schemes
from quantlib.qat.scheme import Scheme

if TYPE_CHECKING:
    from quantlib.models.architectures.swinir_network import SwinIR

WINDOW = 8
SHORTCUT = ".shortcut"
TABLE = "attn.relative_position_bias_table"
CONSTANTS = ("relative_position_index", "attn_mask")
"""Buffers that follow from the size of the window."""


def light(
    scale: int,
    features: int = 60,
    groups: int = 4,
    layers: int = 6,
    heads: int = 6,
    learnable_shortcuts: bool = False,
) -> "SwinIR":
    """The lightweight form (section 4.2): `groups` of `layers` with `heads`, one-step upsampler.

    Weights are random.
    """
    if scale not in (2, 3, 4):
        raise QuantlibError(f"SwinIR upscales by 2, 3 or 4 here, not by {scale}.")
    if features % heads:
        raise QuantlibError(f"{features} features cannot be shared among {heads} heads.")
    from quantlib.models.architectures.swinir_network import SwinIR

    return SwinIR(
        learnable_shortcuts,
        img_size=2 * WINDOW,  # only the size of a mask, made anew for other pictures
        embed_dim=features,
        depths=[layers] * groups,
        num_heads=[heads] * groups,
        window_size=WINDOW,
        mlp_ratio=2.0,
        drop_path_rate=0.0,
        upscale=scale,
        upsampler="pixelshuffledirect",
    )


def recognises(weights: Mapping[str, Tensor]) -> bool:
    """Whether the names look like a SwinIR checkpoint, the authors' or one exported here."""
    first = "layers.0.residual_group.blocks.0."
    marks = (TABLE, "attn.qkv.weight", "norm1.weight")
    return all(first + mark in weights for mark in marks) and "conv_first.weight" in weights


def from_state_dict(weights: Mapping[str, Tensor]) -> "SwinIR":
    """The network that `weights` belong to; all sizes are read from names and shapes.

    Networks that do not enlarge RGB pictures raise a `QuantlibError`.

    >>> twin = from_state_dict(light(3, 12, groups=3, layers=1, heads=2).state_dict())
    >>> twin.scale, len(twin.layers), twin.window_size, twin.has_depths
    (3, 3, 8, False)
    """
    from spandrel.architectures.SwinIR import SwinIRArch

    from quantlib.models.architectures.swinir_network import SwinIR

    has_depths = "block_order" in weights
    plain = {
        name: tensor
        for name, tensor in weights.items()
        if name != "block_order" and not name.endswith((SHORTCUT, *CONSTANTS))
    }
    for name, table in plain.items():
        if name.endswith(TABLE) and len(weights["conv_first.bias"]) % table.shape[1]:
            raise QuantlibError(
                f"{name} is for {table.shape[1]} heads, which cannot share the features of this "
                "SwinIR; choose a complete checkpoint."
            )
    found = SwinIRArch().load({**_constants(plain), **plain})
    if found.purpose != "SR" or found.scale < 2 or found.model.upsampler == "":
        raise QuantlibError(
            f"This SwinIR does not enlarge pictures ({found.purpose}, ×{found.scale}); choose a "
            "super-resolution network."
        )
    require_rgb(found.input_channels, found.output_channels, "This SwinIR")
    network = SwinIR(has_depths, **found.model.hyperparameters | {"drop_path_rate": 0.0})
    learned = {n: t for n, t in weights.items() if not n.endswith(CONSTANTS)}
    network.load_state_dict(learned)
    return network


def _constants(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The buffers that `weights` lack, for the window that the tables of biases belong to."""
    from spandrel.architectures.SwinIR.__arch.SwinIR import SwinTransformerBlock

    tables = {name: table for name, table in weights.items() if name.endswith(TABLE)}
    constants: dict[str, Tensor] = {}
    for name, table in tables.items():
        layer = name.removesuffix(TABLE)
        window, heads = (math.isqrt(table.shape[0]) + 1) // 2, table.shape[1]
        shift = window // 2 if int(layer.split(".")[-2]) % 2 else 0
        block = SwinTransformerBlock(heads, (2 * window, 2 * window), heads, window, shift)
        constants |= {f"{layer}{name}": buffer for name, buffer in block.named_buffers()}
    return constants


def build(checkpoint: Checkpoint) -> SRNetwork:
    network = from_state_dict(checkpoint.weights)
    step = network.window_size * network.start_unshuffle
    return SRNetwork(
        network,
        "SwinIR",
        network.scale,
        receptive_radius=network.receptive_radius,
        window=step,
        size_rule=SizeRule(minimum=2 * step, multiple=step),
    )


def fresh(sizes: Sizes) -> "SwinIR":
    group = (sizes.group_layers, sizes.heads)
    return light(sizes.scale, sizes.features, sizes.blocks, *group, sizes.depths)


def schemes(network: nn.Module, scheme: Scheme, placement: Placement) -> dict[str, Scheme]:
    places = (placement.convolutions, placement.products, placement.ends)
    return swin_schemes(network, scheme, *places)


def quantized_where(placement: Placement) -> str:
    layers = ["all linear layers of the Swin blocks (qkv, proj, fc1, fc2)"]
    is_full = placement.ends == "fp32"
    full = ["head, last convolution and upsampler"] if is_full else []
    for is_in, operator in (
        (placement.convolutions, "the convolutions of the groups"),
        (placement.products, "both attention products"),
    ):
        (layers if is_in else full).append(operator)
    if placement.ends == "8bit":
        layers.append("head, last convolution and upsampler in 8 bit")
    return ", ".join(layers) + (f"; {', '.join(full)} FP32" if full else "")


def guides(blocks: int) -> list[str]:
    return [f"layers.{i}.residual_group" for i in range(blocks)]


ARCHITECTURE = Architecture(
    "SwinIR",
    SUPER_RESOLUTION,
    recognises,
    build,
    training=SRTraining(
        "swinir",
        fresh,
        schemes,
        quantized_where,
        depth_dynamic="QuantSR-T",
        has_attention=True,
        guides=guides,
    ),
)
