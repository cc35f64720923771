"""Which layers of a network are quantized, and how."""

import re
from dataclasses import replace
from typing import Literal

from torch import nn

from quantlib.errors import QuantlibError
from quantlib.qat.scheme import Scheme

Ends = Literal["fp32", "8bit"]
ENDS: tuple[Ends, ...] = ("fp32", "8bit")
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
    if ends not in ENDS:
        raise QuantlibError(
            f"There is no precision {ends!r} for the ends; choose {' or '.join(ENDS)}."
        )
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
