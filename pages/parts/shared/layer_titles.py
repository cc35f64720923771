"""What layers are called for people: "block 8, second convolution", not `body.7.body.2`."""

import re
from collections.abc import Callable

_NTH = "first", "second", "third", "fourth", "fifth"


def _number(text: str) -> int:
    return int(text) + 1


def _swin(group: str, block: str, part: str) -> str:
    parts = {
        "attn.qkv": "queries, keys, values",
        "attn.proj": "attention output",
        "mlp.fc1": "first linear layer",
        "mlp.fc2": "second linear layer",
    }
    return f"group {_number(group)}, block {_number(block)}, {parts[part]}"


def _pan(block: str, part: str) -> str:
    parts = {
        "conv1_a": "upper branch, first convolution",
        "k1.0": "upper branch, second convolution",
        "conv1_b": "lower branch, first convolution",
        "PAConv.k2": "lower branch, attention",
        "PAConv.k3": "lower branch, second convolution",
        "PAConv.k4": "lower branch, third convolution",
        "conv3": "joining convolution",
    }
    return f"block {_number(block)}, {parts[part]}"


def _mobilenet(block: str, part: str) -> str:
    first = {"0.0": "depthwise convolution", "1": "projection"}
    others = {"0.0": "expansion", "1.0": "depthwise convolution", "2": "projection"}
    return f"block {block}, {(first if block == '1' else others)[part]}"


# EDSR's, SwinIR's and QuantSR-T's, PAN's, ResNet's, MobileNetV2's and the U-Net's, in that order.
_RULES: tuple[tuple[str, Callable[..., str]], ...] = (
    (
        r"body\.(\d+)\.body\.([02])",
        lambda block, part: f"block {_number(block)}, {_NTH[int(part) // 2]} convolution",
    ),
    (r"body\.\d+|trunk_conv|conv_after_body", lambda: "convolution after the blocks"),
    (r"tail\.0\.(\d+)", lambda place: f"{_NTH[int(place) // 2]} enlarging convolution"),
    (r"head\.0|conv_first|conv1|features\.0\.0", lambda: "first convolution"),
    (r"tail\.1|conv_last|head|features\.18\.0", lambda: "last convolution"),
    (
        r"layers\.(\d+)\.residual_group\.blocks\.(\d+)\.(attn\.qkv|attn\.proj|mlp\.fc[12])",
        _swin,
    ),
    (r"layers\.(\d+)\.conv", lambda group: f"group {_number(group)}, convolution"),
    (r"conv_before_upsample\.0", lambda: "convolution before enlarging"),
    (r"upsample\.(\d+)", lambda place: f"{_NTH[int(place) // 2]} enlarging convolution"),
    (r"SCPA_trunk\.(\d+)\.(conv1_[ab]|k1\.0|PAConv\.k[234]|conv3)", _pan),
    (r"upconv(\d)", lambda n: f"{_NTH[int(n) - 1]} enlarging convolution"),
    (r"att(\d)\.conv", lambda n: f"attention after the {_NTH[int(n) - 1]} enlargement"),
    (r"HRconv(\d)", lambda n: f"convolution after the {_NTH[int(n) - 1]} enlargement"),
    (
        r"layer(\d+)\.(\d+)\.conv(\d)",
        lambda stage, block, n: (
            f"stage {stage}, block {_number(block)}, {_NTH[int(n) - 1]} convolution"
        ),
    ),
    (r"linear|classifier\.1", lambda: "classifier"),
    (r"features\.(\d+)\.conv\.(0\.0|1|1\.0|2)", _mobilenet),
    (
        r"(down|up)\.(\d+)\.([03])",
        lambda way, level, part: (
            f"level {_number(level)} {way}, {_NTH[int(part) // 3]} convolution"
        ),
    ),
    (r"bottom\.([03])", lambda part: f"bottom, {_NTH[int(part) // 3]} convolution"),
    (r"widen\.(\d+)", lambda level: f"level {_number(level)} up, enlarging"),
)


def layer_title(name: str) -> str:
    """The title of the layer `name`, a module's name; one that is not known stays as it is.

    >>> layer_title("body.7.body.2"), layer_title("layers.0.residual_group.blocks.1.mlp.fc1")
    ('block 8, second convolution', 'group 1, block 2, first linear layer')
    >>> layer_title("encoder.magic")
    'encoder.magic'
    """
    for pattern, title in _RULES:
        if found := re.fullmatch(pattern, name):
            try:
                return title(*found.groups())
            except (KeyError, IndexError):
                break
    return name


def with_module(name: str) -> str:
    """The title, and the module's name beside it where that is another.

    >>> with_module("body.16"), with_module("magic")
    ('convolution after the blocks (body.16)', 'magic')
    """
    title = layer_title(name)
    return title if title == name else f"{title} ({name})"
