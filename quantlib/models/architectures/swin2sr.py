"""Swin2SR checkpoints of the `transformers` library (Conde et al., ECCVW 2022, arXiv 2209.11345).

The Hub's `caidas/swin2SR-*` repositories name the parameters as `transformers` does and keep
query, key and value apart; `spandrel` runs the same network under the authors' names, with the
three joined.
"""

import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.models.architecture import Architecture
from quantlib.models.card import SUPER_RESOLUTION
from quantlib.models.checkpoint import Checkpoint
from quantlib.models.sr_network import SizeRule, SRNetwork, require_rgb

# Every published checkpoint uses windows of 8 × 8 pixels. The weights do not depend on the window,
# so its size cannot be read from them.
WINDOW = 8

_STAGE = r"^swin2sr\.encoder\.stages\.(\d+)\."
_RENAMES = [
    (_STAGE + r"layers\.(\d+)\.", r"layers.\1.residual_group.blocks.\2."),
    (_STAGE + r"patch_embed\.projection\.", r"layers.\1.patch_embed.proj."),
    (_STAGE, r"layers.\1."),
    (r"\.attention\.self\.continuous_position_bias_mlp\.", ".attn.cpb_mlp."),
    (r"\.attention\.self\.", ".attn."),
    (r"\.attention\.output\.dense\.", ".attn.proj."),
    (r"\.intermediate\.dense\.", ".mlp.fc1."),
    (r"\.output\.dense\.", ".mlp.fc2."),
    (r"\.layernorm_before\.", ".norm1."),
    (r"\.layernorm_after\.", ".norm2."),
    (r"^swin2sr\.embeddings\.patch_embeddings\.projection\.", "patch_embed.proj."),
    (r"^swin2sr\.embeddings\.patch_embeddings\.layernorm\.", "patch_embed.norm."),
    (r"^swin2sr\.first_convolution\.", "conv_first."),
    (r"^swin2sr\.layernorm\.", "norm."),
    (r"^swin2sr\.conv_after_body\.", "conv_after_body."),
    (r"^upsample\.conv\.", "upsample.0."),
    (r"^upsample\.conv_before_upsample\.", "conv_before_upsample.0."),
    (r"^upsample\.upsample\.convolution\.", "upsample.0."),
    (r"^upsample\.upsample\.convolution_0\.", "upsample.0."),
    (r"^upsample\.upsample\.convolution_1\.", "upsample.2."),
    (r"^upsample\.(conv_up1|conv_up2|conv_hr)\.", r"\1."),
    (r"^upsample\.final_convolution\.", "conv_last."),
]


def recognises(weights: Mapping[str, Tensor]) -> bool:
    """Whether the names look like a Swin2SR checkpoint of `transformers`."""
    return "swin2sr.first_convolution.weight" in weights


def convert(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same parameters under the authors' names, with query, key and value joined.

    >>> block = "swin2sr.encoder.stages.0.layers.1."
    >>> parts = {block + f"attention.self.{n}.weight": torch.ones(4, 4) for n in ("query", "key")}
    >>> parts[block + "attention.self.value.weight"] = torch.zeros(4, 4)
    >>> {name: tuple(value.shape) for name, value in convert(parts).items()}
    {'layers.0.residual_group.blocks.1.attn.qkv.weight': (12, 4)}
    """
    renamed = {_rename(key): value for key, value in weights.items()}
    converted: dict[str, Tensor] = {}
    for key, value in renamed.items():
        if key.endswith(".attn.query.weight"):
            stem = key.removesuffix("query.weight")
            parts = [renamed[f"{stem}{part}.weight"] for part in ("query", "key", "value")]
            converted[f"{stem}qkv.weight"] = torch.cat(parts)
        elif key.endswith(".attn.query.bias"):
            converted[key.removesuffix("query.bias") + "q_bias"] = value
        elif key.endswith(".attn.value.bias"):
            converted[key.removesuffix("value.bias") + "v_bias"] = value
        elif not re.search(
            r"\.attn\.((key|value)\.weight|relative_(coords_table|position_index))$", key
        ):
            converted[key] = value
    return converted


def from_state_dict(weights: Mapping[str, Tensor], window: int = WINDOW) -> nn.Module:
    """spandrel's Swin2SR with these weights; sizes and upsampler are read from names and shapes.

    The network takes RGB `float32 (N, 3, H, W)` in [0, 1] and returns `scale` times the size; its
    `upscale` attribute is the scale. Checkpoints for compressed input (`pixelshuffle_aux`) and for
    restoration without enlargement raise a `QuantlibError`.
    """
    from spandrel.architectures.Swin2SR import Swin2SR

    if "upsample.conv_bicubic.weight" in weights or "final_convolution.weight" in weights:
        raise QuantlibError(
            "This Swin2SR is made for compressed pictures; use a super-resolution one, "
            "such as caidas/swin2SR-lightweight-x2-64."
        )
    weights = convert(weights)
    features, channels = weights["conv_first.weight"].shape[:2]
    require_rgb(channels, channels, "This Swin2SR")
    depths = _depths(weights)
    block = "layers.{}.residual_group.blocks.0."
    first = block.format(0)
    upsampler, scale = _upsampler(weights, channels)
    network = Swin2SR(
        img_size=8 * window,  # only sizes a buffer; other picture sizes are masked when they arrive
        patch_size=weights["patch_embed.proj.weight"].shape[2],
        in_chans=channels,
        embed_dim=features,
        depths=depths,
        num_heads=[
            weights[block.format(i) + "attn.logit_scale"].shape[0] for i in range(len(depths))
        ],
        window_size=window,
        mlp_ratio=weights[first + "mlp.fc1.weight"].shape[0] / features,
        qkv_bias=first + "attn.q_bias" in weights,
        patch_norm="patch_embed.norm.weight" in weights,
        upscale=scale,
        upsampler=upsampler,
    )
    network.load_state_dict({**dict(network.named_buffers()), **weights})
    return network


def _rename(key: str) -> str:
    for pattern, replacement in _RENAMES:
        key = re.sub(pattern, replacement, key)
    return key


def _depths(weights: Mapping[str, Tensor]) -> list[int]:
    """How many blocks each stage has."""
    blocks: dict[int, set[str | None]] = {}
    for key in weights:
        if match := re.match(r"layers\.(\d+)\.(?:residual_group\.blocks\.(\d+)\.)?", key):
            blocks.setdefault(int(match[1]), set()).update(match.groups()[1:])
    return [len(blocks.get(stage, set()) - {None}) for stage in range(len(blocks))]


def _upsampler(weights: Mapping[str, Tensor], channels: int) -> tuple[str, int]:
    """spandrel's name for the upsampler, and the scale it enlarges by."""
    if "conv_hr.weight" in weights:
        return "nearest+conv", 4
    outputs, inputs = weights["upsample.0.weight"].shape[:2]
    if "conv_last.weight" not in weights:
        return "pixelshuffledirect", int((outputs // channels) ** 0.5)
    return "pixelshuffle", 4 if "upsample.2.weight" in weights else int((outputs // inputs) ** 0.5)


def build(checkpoint: Checkpoint) -> SRNetwork:
    network = from_state_dict(checkpoint.weights)
    return SRNetwork(
        network,
        "Swin2SR",
        int(network.upscale),  # type: ignore[arg-type]
        window=WINDOW,
        size_rule=SizeRule(minimum=2 * WINDOW, multiple=WINDOW),
    )


ARCHITECTURE = Architecture(
    "Swin2SR",
    SUPER_RESOLUTION,
    recognises,
    build,
    recognised="Swin2SR as transformers saves it",
)
