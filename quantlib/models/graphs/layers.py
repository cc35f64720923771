"""Operators with weights as the layers of PyTorch that everything else here looks for."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from quantlib.models.graphs.node import Node, UnsupportedError
from quantlib.models.graphs.operators.operator import as_pad, is_even, same_padding

PRODUCTS = ("Gemm", "MatMul")
LAYERS = ("Conv", "ConvTranspose", *PRODUCTS)
NORM = "BatchNormalization"


class Layer(NamedTuple):
    """`module` sees its input with `pad` zeros around it, as `functional.pad` takes them."""

    module: nn.Module
    pad: tuple[int, ...] = ()


def layer_of(node: Node, weight: Tensor, bias: Tensor | None) -> Layer | None:
    """The layer that computes `node`, whose weights are constants; None where there is none.

    >>> import torch
    >>> conv = Node("Conv", "", ("x", "w"), ("y",), {"pads": [0, 1, 2, 1]})
    >>> layer = layer_of(conv, torch.zeros(4, 3, 3, 3), None)
    >>> layer.module, layer.pad
    (Conv2d(3, 4, kernel_size=(3, 3), stride=(1, 1), bias=False), (1, 1, 0, 2))
    """
    if bias is not None and bias.dim() != 1:
        return None
    if node.kind in PRODUCTS:
        return _linear(node, weight, bias)
    axes = weight.dim() - 2
    strides, dilations = (node.get(name, (1,) * axes) for name in ("strides", "dilations"))
    pads, group = same_padding(node, tuple(weight.shape[2:])), node.get("group", 1)
    if axes not in (1, 2) or not strides or group < 1:
        raise UnsupportedError(f"{node.kind} over {axes} axes")
    geometry: dict[str, Any] = {"stride": strides, "dilation": dilations, "groups": group}
    geometry["bias"] = bias is not None
    kind: Any = nn.Conv2d if axes == 2 else nn.Conv1d
    half = tuple(pads[:axes])
    if node.kind == "ConvTranspose":
        if axes != 2 or not is_even(pads) or node.has("output_shape"):
            raise UnsupportedError("ConvTranspose with uneven padding or a fixed size")
        inputs, outputs = weight.shape[0], weight.shape[1] * group
        geometry["output_padding"] = node.get("output_padding", (0,) * axes)
        kind, pad = nn.ConvTranspose2d, ()
    else:
        inputs, outputs = weight.shape[1] * group, weight.shape[0]
        pad = () if is_even(pads) else tuple(as_pad(pads))
        half = half if is_even(pads) else (0,) * axes
    module = kind(inputs, outputs, weight.shape[2:], padding=half, device="meta", **geometry)
    return Layer(_filled(module, weight, bias), pad)


def norm_of(node: Node, scale: Tensor, bias: Tensor, mean: Tensor, variance: Tensor) -> nn.Module:
    """The batch normalisation of `node`, whose statistics are constants."""
    node.require("training_mode", 0, 0)
    module = nn.BatchNorm2d(len(scale), node.get("epsilon", 1e-5))
    module.running_mean, module.running_var = mean.clone(), variance.clone()
    return _filled(module, scale, bias)


def _linear(node: Node, weight: Tensor, bias: Tensor | None) -> Layer | None:
    if weight.dim() != 2 or node.get("transA", 0):
        return None
    if not node.get("transB", 0):
        weight = weight.T
    weight = weight * node.get("alpha", 1.0)
    bias = None if bias is None else bias * node.get("beta", 1.0)
    module = nn.Linear(weight.shape[1], len(weight), bias is not None, device="meta")
    return Layer(_filled(module, weight, bias))


def _filled(module: nn.Module, weight: Tensor, bias: Tensor | None) -> nn.Module:
    """The layer with these values; a ValueError where they are others than it has place for."""
    for name, values in (("weight", weight), ("bias", bias)):
        place = getattr(module, name)
        if values is None:
            continue
        if place.shape != values.shape or not values.is_floating_point():
            raise ValueError(name)
        own = values.clone(memory_format=torch.contiguous_format)  # exporters tie what is equal
        setattr(module, name, nn.Parameter(own, requires_grad=False))
    return module
