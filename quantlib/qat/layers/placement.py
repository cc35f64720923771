"""Which layers of a network are quantized, and how."""

import re
from dataclasses import replace
from typing import Literal

from torch import nn

from quantlib.errors import QuantlibError
from quantlib.qat.layers.products import is_attention
from quantlib.qat.scheme import Scheme

Ends = Literal["fp32", "8bit"]
ENDS: tuple[Ends, ...] = ("fp32", "8bit")
SWIN_LINEAR = re.compile(
    r"layers\.\d+\.residual_group\.blocks\.\d+\.(attn\.(qkv|proj)|mlp\.(fc1|fc2))"
)
BLOCK_CONVOLUTION = re.compile(r"body\.\d+\.body\.(\d+)")


def residual_schemes(
    network: nn.Module, scheme: Scheme, first_input_quantized: bool = True, ends: str = "fp32"
) -> dict[str, Scheme]:
    """`scheme` for the convolutions in the residual blocks of an EDSR, by name in their order.

    Without `first_input_quantized` the first convolution of each block sees its input in full
    precision, as in the released code of PAMS and DDTB. `ends` "8bit" puts RLQ with 8 bits on the
    convolutions outside the blocks: head, last of the body, upsampler and tail.

    >>> block = nn.ModuleDict({"body": nn.Sequential(nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3))})
    >>> network = nn.ModuleDict({"head": nn.Conv2d(3, 4, 3), "body": nn.Sequential(block)})
    >>> schemes = residual_schemes(network, Scheme(), first_input_quantized=False, ends="8bit")
    >>> {name: scheme.title for name, scheme in schemes.items()}
    {'head': 'RLQ W8A8', 'body.0.body.0': 'RLQ W4A32', 'body.0.body.1': 'RLQ W4A4'}
    """
    _require_known(ends)
    first = scheme if first_input_quantized else replace(scheme, activation_bits=0)
    schemes = {}
    for name, layer in network.named_modules():
        block = BLOCK_CONVOLUTION.fullmatch(name)
        if not isinstance(layer, nn.Conv2d):
            continue
        if block:
            schemes[name] = first if block[1] == "0" else scheme
        elif ends == "8bit":
            schemes[name] = Scheme("rlq", 8, 8)
    return schemes


def swin_schemes(
    network: nn.Module,
    scheme: Scheme,
    convolutions: bool = False,
    products: bool = False,
    ends: str = "fp32",
) -> dict[str, Scheme]:
    """`scheme` for the linear layers in the Swin blocks of a SwinIR or Swin2SR, by name.

    `convolutions` adds those at the end of every residual group, `products` both attention
    products. `ends` "8bit" puts RLQ with 8 bits on the convolutions outside the groups.

    >>> from quantlib.models.architectures.swinir import light
    >>> network = light(2, features=12, groups=1, layers=1, heads=2)
    >>> [name.split("blocks.0.")[1] for name in swin_schemes(network, Scheme())]
    ['attn.qkv', 'attn.proj', 'mlp.fc1', 'mlp.fc2']
    """
    _require_known(ends)
    schemes = {}
    for name, layer in network.named_modules():
        in_groups = name.startswith("layers.")
        if SWIN_LINEAR.fullmatch(name) or (products and in_groups and is_attention(layer)):
            schemes[name] = scheme
        elif isinstance(layer, nn.Conv2d):
            if in_groups and convolutions:
                schemes[name] = scheme
            elif not in_groups and ends == "8bit":
                schemes[name] = Scheme("rlq", 8, 8)
    return schemes


def _require_known(ends: str) -> None:
    if ends not in ENDS:
        raise QuantlibError(
            f"There is no precision {ends!r} for the ends; choose {' or '.join(ENDS)}."
        )
