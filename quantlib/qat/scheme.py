"""How a layer is quantized: the method, its bits and its switches."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from torch import nn

from quantlib.errors import QuantlibError
from quantlib.qat.bounds import Bounds, Search, dobi, extremes, percentiles
from quantlib.qat.ddtb import DDTB, DDTBWeight
from quantlib.qat.dorefa import DoReFa, DoReFaWeight
from quantlib.qat.layers.products import QuantProducts, is_attention, with_quantized_products
from quantlib.qat.layers.quantized import QuantConv2d, QuantLinear
from quantlib.qat.lsq import LSQ
from quantlib.qat.noisy import NoisyInput, RowMaxWeight
from quantlib.qat.pact import PACT
from quantlib.qat.pams import PAMS, PAMSWeight
from quantlib.qat.quantizer import LearnedQuantizer
from quantlib.qat.rlq import RLQ


@dataclass(frozen=True)
class Scheme:
    """The quantizers of one layer's weights and input.

    `k`, `use_shift` and `learn_step` are RLQ's three parts (φ, τ and the learned step), which can
    be switched off one by one: k = 0 is the straight-through estimator. `gate` is DDTB's, and
    `keep_scale` that of DoReFa's weights, which PACT uses too. `activation_bits` 0 leaves the input
    as it is. `scale_channels` gives every channel of the input and of the output a scale beside the
    steps (Outlier Suppression+, Wei et al., EMNLP 2023, for the input; QuantSR has none).

    >>> Scheme("rlq", weight_bits=2, activation_bits=2).title
    'RLQ W2A2'
    """

    method: str = "rlq"
    weight_bits: int = 4
    activation_bits: int = 4
    k: float = 1.0
    use_shift: bool = True
    learn_step: bool = True
    gate: bool = True
    keep_scale: bool = False
    scale_channels: bool = False

    def __post_init__(self) -> None:
        if self.method not in _KNOWN:
            raise QuantlibError(
                f"There is no quantizer {self.method!r} for layers; choose {', '.join(_KNOWN)}."
            )
        for name, bits, free in (
            ("weight_bits", self.weight_bits, ()),
            ("activation_bits", self.activation_bits, (0,)),
        ):
            if type(bits) is not int or bits not in (*free, *range(2, 9)):
                raise QuantlibError(f"{name} has to be from 2 to 8, not {bits!r}.")
        if not 0 <= self.k < math.inf:
            raise QuantlibError(f"The softness k has to be 0 or more, not {self.k}.")

    @property
    def title(self) -> str:
        name = _KNOWN[self.method].title
        return f"{name} W{self.weight_bits}A{self.activation_bits or 32}"

    def for_weight(self) -> LearnedQuantizer:
        """A fresh quantizer for weights."""
        return _KNOWN[self.method].weight(self)

    def for_input(self, channels: int) -> LearnedQuantizer | None:
        """A fresh quantizer for an input of `channels`; its first tensor sets it up."""
        return _KNOWN[self.method].input(self, channels) if self.activation_bits else None

    def for_factor(self) -> nn.Module:
        """A fresh quantizer for a factor of an attention product, without shifts.

        NoisyQuant is defined for linear layers; factors get min-max bounds beside it.
        """
        method = _KNOWN[self.method].of_factors or self.method
        return replace(self, use_shift=False, method=method).for_input(0) or nn.Identity()


class Part(NamedTuple):
    """Something of a method that can be switched off: the field of `Scheme`, and what it is called.

    `slug` stands in the names of runs without it; those that are off from the start have none.
    """

    field: str
    title: str
    slug: str = ""


class LearnedMethod(NamedTuple):
    """A published method: its name, how its two quantizers are made, and its `parts`.

    `of_factors` is the method that attention products get where this one is not defined for them.
    """

    title: str
    weight: Callable[[Scheme], LearnedQuantizer]
    input: Callable[[Scheme, int], LearnedQuantizer]
    parts: tuple[Part, ...] = ()
    of_factors: str = ""

    @property
    def has_softness(self) -> bool:
        """Whether k is a number of this method."""
        return any(part.field == "k" for part in self.parts)


def _bounds(title: str, search: Search) -> LearnedMethod:
    return LearnedMethod(
        title,
        lambda s: Bounds(s.weight_bits, search),
        lambda s, channels: Bounds(s.activation_bits, search),
    )


WEIGHT_SCALE = Part("keep_scale", "the weights' scale")

LEARNED = {
    "rlq": LearnedMethod(
        "RLQ",
        lambda s: RLQ(s.weight_bits, k=s.k, learn_step=s.learn_step),
        lambda s, channels: RLQ(
            s.activation_bits, None, channels if s.use_shift else 0, s.k, s.learn_step
        ),
        (
            Part("k", "φ", "no-phi"),
            Part("use_shift", "τ", "no-tau"),
            Part("learn_step", "learned step", "fixed-step"),
        ),
    ),
    "lsq": LearnedMethod(
        "LSQ",
        lambda s: LSQ(s.weight_bits),
        lambda s, channels: LSQ(s.activation_bits, None),
    ),
    "pact": LearnedMethod(
        "PACT",
        lambda s: DoReFaWeight(s.weight_bits, s.keep_scale),
        lambda s, channels: PACT(s.activation_bits),
        (WEIGHT_SCALE,),
    ),
    "dorefa": LearnedMethod(
        "DoReFa",
        lambda s: DoReFaWeight(s.weight_bits, s.keep_scale),
        lambda s, channels: DoReFa(s.activation_bits),
        (WEIGHT_SCALE,),
    ),
    "pams": LearnedMethod(
        "PAMS",
        lambda s: PAMSWeight(s.weight_bits),
        lambda s, channels: PAMS(s.activation_bits),
    ),
    "ddtb": LearnedMethod(
        "DDTB",
        lambda s: DDTBWeight(s.weight_bits),
        lambda s, channels: DDTB(s.activation_bits, channels, s.gate),
        (Part("gate", "gate"),),
    ),
}
"""Methods whose quantizers learn while the network trains."""

POST_TRAINING = {
    "minmax": _bounds("MinMax", extremes),
    "percentile": _bounds("Percentile", percentiles),
    "dobi": _bounds("DOBI", dobi),
    "noisyquant": LearnedMethod(
        "NoisyQuant",
        lambda s: RowMaxWeight(s.weight_bits),
        lambda s, channels: NoisyInput(s.activation_bits, channels),
        of_factors="minmax",
    ),
}
"""Methods that find their ranges once, after the training."""

OURS = "rlq"
RIVALS = tuple(name for name in LEARNED if name != OURS)

_KNOWN = LEARNED | POST_TRAINING


def quantized_layer(layer: nn.Module, scheme: Scheme) -> QuantConv2d | QuantLinear:
    """A quantized layer that shares the weights of `layer`, a convolution or a linear layer."""
    if isinstance(layer, nn.Conv2d):
        made = QuantConv2d.__new__(QuantConv2d)
        channels, outputs = layer.in_channels, layer.out_channels
    elif isinstance(layer, nn.Linear):
        made = QuantLinear.__new__(QuantLinear)
        channels, outputs = layer.in_features, layer.out_features
    else:
        raise QuantlibError(f"A layer of type {type(layer).__name__} cannot be quantized.")
    nn.Module.__init__(made)
    made.__dict__.update({**layer.__dict__, "_modules": {}})
    made.scheme = scheme
    made.activation = scheme.for_input(channels)
    made.weight_quantizer = scheme.for_weight()
    made.input_scale = made.output_scale = None
    if scheme.scale_channels:
        made.input_scale = nn.Parameter(layer.weight.detach().new_ones(channels))
        made.output_scale = nn.Parameter(layer.weight.detach().new_ones(outputs))
    return made


def quantize_layers(network: nn.Module, schemes: dict[str, Scheme]) -> None:
    """Puts quantized layers in the places named, in `network` itself; weights stay shared.

    Of an attention layer the two products are quantized; its linear layers have names of their own.
    """
    for name, scheme in schemes.items():
        parent, _, child = name.rpartition(".")
        layer = network.get_submodule(name)
        made = with_quantized_products if is_attention(layer) else quantized_layer
        setattr(network.get_submodule(parent), child, made(layer, scheme))


def quantized_layers(network: nn.Module) -> dict[str, QuantConv2d | QuantLinear]:
    """The quantized layers of a network by name, in its order."""
    return {
        name: layer
        for name, layer in network.named_modules()
        if isinstance(layer, (QuantConv2d, QuantLinear))
    }


def quantized_products(network: nn.Module) -> dict[str, QuantProducts]:
    """The attention layers of a network whose products are quantized, by name in its order."""
    return {n: layer for n, layer in network.named_modules() if isinstance(layer, QuantProducts)}
