"""Learning rates in units of what is learned, so that they suit every network and bit-width."""

import math

from torch import Tensor, nn

from quantlib.qat.scheme import quantized_layers

STEP_RATE, SHIFT_RATE, WEIGHT_RATE = 0.02, 0.04, 0.08  # in steps of the quantizer
OTHER_RATE = 0.005  # in mean magnitudes of the parameter
PER_OCTAVE = 4  # rates that an optimiser tells apart; each group of parameters costs it time


def learned(network: nn.Module, weights: bool) -> list[dict]:
    """Parameter groups for an optimiser, each with its learning rate (to a tenth).

    Learned are steps, shifts and the biases of quantized layers; with `weights` every other
    parameter of `network` too.

    >>> from quantlib.qat.scheme import Scheme, quantize_layers
    >>> network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)).requires_grad_(False)
    >>> quantize_layers(network, {"1": Scheme("rlq")})
    >>> [sum(len(g["params"]) for g in learned(network, weights)) for weights in (False, True)]
    [4, 7]
    """
    rates: dict[nn.Parameter, float] = {}
    quantizers: set[nn.Parameter] = set()
    layers = quantized_layers(network).values()
    for layer in layers:
        for quantizer in (layer.activation, layer.weight_quantizer):
            if quantizer is None:
                continue
            for name, parameter in quantizer.named_parameters():
                quantizers.add(parameter)
                if parameter.requires_grad:
                    unit = _magnitude(getattr(quantizer, "raw_step", parameter))
                    rates[parameter] = unit * (SHIFT_RATE if name == "shift" else STEP_RATE)
        if weights and isinstance(layer.weight, nn.Parameter):
            step = layer.weight_quantizer.grid(layer.weight).step
            rates[layer.weight] = WEIGHT_RATE * _magnitude(step)
    others = network.parameters() if weights else (layer.bias for layer in layers)
    for parameter in others:
        if isinstance(parameter, nn.Parameter) and parameter not in quantizers:
            rates.setdefault(parameter, OTHER_RATE * _magnitude(parameter))
    for parameter in rates:
        parameter.requires_grad_(True)
    groups: dict[int, list[nn.Parameter]] = {}
    for parameter, rate in rates.items():
        groups.setdefault(round(math.log2(rate) * PER_OCTAVE), []).append(parameter)
    return [{"params": group, "lr": 2 ** (key / PER_OCTAVE)} for key, group in groups.items()]


def _magnitude(values: Tensor) -> float:
    return max(float(values.detach().abs().mean()), 1e-4)
