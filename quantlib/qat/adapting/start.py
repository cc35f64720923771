"""Where a quantized layer begins, so that few steps of learning are enough."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from quantlib.qat.layers.quantized import QuantConv2d, QuantLinear
from quantlib.qat.rlq import RLQ
from quantlib.quantizers.bitwidth import BitWidth

FRACTIONS = torch.linspace(0.025, 1.0, 40)
SAMPLE = 1 << 14
MOST_SCALED = 10.0
ROWS = 6000
DAMPING = 0.002

Layer = QuantConv2d | QuantLinear


def nearest_step(x: Tensor, bitwidth: BitWidth) -> tuple[Tensor, Tensor]:
    """The step, one value, whose levels are nearest to `x` of any shape, and their mean square gap.

    It is searched among `FRACTIONS` of the step that reaches the largest magnitude, on an even
    sample of large tensors.

    >>> nearest_step(torch.tensor([-0.5, 0.0, 0.5]), BitWidth(2))
    (tensor(0.5000), tensor(0.))
    """
    x = x.detach().float().flatten()
    x = x[:: -(-x.numel() // SAMPLE)]
    steps = (x.abs().amax() / bitwidth.qmax * FRACTIONS.to(x.device))[:, None]
    codes = (x / steps).nan_to_num().round().clamp(bitwidth.qmin, bitwidth.qmax)
    gaps = (codes * steps - x).square().mean(1)
    best = gaps.argmin()
    return steps[best, 0], gaps[best]


@torch.no_grad()
def start_scales(layer: Layer, x: Tensor) -> None:
    """Scales of the input's channels, if the layer has them, that make `x` vary equally in all.

    The weights make up for them. Their geometric mean is 1, and none is beyond `MOST_SCALED`.
    """
    if layer.input_scale is None:
        return
    spread = _rows(layer, x).std(0).nan_to_num().clamp_min(1e-6)
    scale = (spread.log().mean().exp() / spread).clamp(1 / MOST_SCALED, MOST_SCALED)
    layer.input_scale.copy_(scale)
    groups = layer.groups if isinstance(layer, QuantConv2d) else 1
    per_row = scale.view(groups, -1).repeat_interleave(len(layer.weight) // groups, 0)
    layer.weight /= per_row.view(*layer.weight.shape[:2], *[1] * (layer.weight.dim() - 2))


@torch.no_grad()
def start_weight(layer: Layer) -> None:
    """Initialises the quantizer of the weights; a learned step begins at the nearest one.

    Scales of the output's channels, if the layer has them, begin in proportion to the nearest step
    of each.
    """
    quantizer = layer.weight_quantizer
    if layer.output_scale is not None:
        steps = [nearest_step(row, quantizer.bitwidth)[0] for row in layer.weight]
        scale = torch.stack(steps).clamp_min(1e-8)
        layer.output_scale.copy_(scale / scale.mean())
        layer.weight /= layer.output_scale.view(-1, *[1] * (layer.weight.dim() - 1))
    quantizer.initialise(layer.weight)
    if isinstance(quantizer, RLQ):
        quantizer.raw_step.copy_(nearest_step(layer.weight, quantizer.bitwidth)[0])


@torch.no_grad()
def start_input(layer: Layer, x: Tensor) -> None:
    """Initialises the quantizer of the input `x`; a learned step begins at the nearest one.

    A layer with a bias, which can make up for it, has its shifts begin at minus the means of the
    channels where that brings the levels nearer: codes of both signs are of use then.
    """
    quantizer = layer.activation
    if quantizer is None:
        return
    quantizer.initialise(x)
    if not isinstance(quantizer, RLQ):
        return
    step, gap = nearest_step(x, quantizer.bitwidth)
    quantizer.raw_step.copy_(step)
    if quantizer.shift is None or layer.bias is None:
        return
    rows = _rows(layer, x)
    means = rows.mean(0)
    step, centred_gap = nearest_step(rows - means, BitWidth(quantizer.bits, signed=True))
    if centred_gap < gap:
        quantizer.signed = True
        quantizer.raw_step.copy_(step)
        quantizer.shift.copy_(-means)
        layer.bias += _constant_output(layer, means)


@torch.no_grad()
def refit(layer: Layer, x: Tensor, wanted: Tensor) -> None:
    """Moves the weights so that the quantized input `x` gives what full precision gave.

    Ridge regression around the trained weights, in closed form: `wanted`, rows of the layer's
    output in full precision as `sampled_output` gives them, is met as well as one layer can, and
    with it what the layers before have lost is made up for. Convolutions that do not pad with
    zeros keep their weights.
    """
    places = _places(layer, layer.quantized_input(x))
    if places is None:
        return
    weight = layer.weight.reshape(len(places), -1, places.shape[-1])
    target = wanted if layer.bias is None else wanted - layer.bias
    target = target.reshape(len(wanted), len(places), -1).transpose(0, 1)
    gram = places.mT @ places
    diagonal = gram.diagonal(dim1=1, dim2=2)
    diagonal += DAMPING * diagonal.mean(1, keepdim=True) + 1e-12
    missing = places.mT @ (target - places @ weight.mT)
    change = torch.linalg.solve_ex(gram, missing)[0].mT.reshape(layer.weight.shape)
    if change.isfinite().all():
        layer.weight += change


def sampled_output(layer: nn.Module, y: Tensor) -> Tensor:
    """What a layer gave at a fixed sample of places, `(R, O)`."""
    return _sample(_rows(layer, y))


def _rows(layer: nn.Module, x: Tensor) -> Tensor:
    rows = x.movedim(1, -1) if isinstance(layer, nn.Conv2d) else x
    return rows.reshape(-1, rows.shape[-1])


def _places(layer: Layer, x: Tensor) -> Tensor | None:
    """What each sampled output place sees, `(groups, R, K)`."""
    if isinstance(layer, QuantLinear):
        return _sample(_rows(layer, x))[None]
    if isinstance(layer.padding, str) or layer.padding_mode != "zeros":
        return None
    window = (layer.kernel_size, layer.dilation, layer.padding, layer.stride)
    count = functional.unfold(x[:1, :1], *window).shape[-1]
    chosen = _chosen(count * len(x)).to(x.device)
    seen = torch.cat(
        [
            functional.unfold(image, *window)[0].T[chosen[chosen // count == number] % count]
            for number, image in enumerate(x.split(1))
        ]
    )
    return seen.reshape(len(seen), layer.groups, -1).transpose(0, 1)


def _constant_output(layer: Layer, means: Tensor) -> Tensor:
    """What the layer makes, without its bias, of an input that is `means` everywhere."""
    if isinstance(layer, QuantLinear):
        return layer.weight @ means
    kernel = layer.weight.sum((2, 3), keepdim=True)
    return functional.conv2d(means.view(1, -1, 1, 1), kernel, groups=layer.groups).flatten()


def _sample(rows: Tensor) -> Tensor:
    return rows[_chosen(len(rows)).to(rows.device)]


def _chosen(count: int) -> Tensor:
    """The same at most `ROWS` of `count` numbers every time, rising."""
    shuffled = torch.randperm(count, generator=torch.Generator().manual_seed(0))
    return shuffled[:ROWS].sort().values
