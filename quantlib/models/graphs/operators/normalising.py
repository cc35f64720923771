"""Normalisations, softmax and products of two tensors."""

from typing import Any

import torch
from torch.nn import functional

from quantlib.models.checkpoint import shown
from quantlib.models.graphs.node import Node, UnsupportedError
from quantlib.models.graphs.operators.operator import Function, Operator, is_even, same_padding

PER_AXIS_OPSET = 13
PER_CHANNEL_OPSET = 21


def _instance_norm(node: Node) -> Function:
    epsilon = node.get("epsilon", 1e-5)
    return lambda x, scale, bias: functional.instance_norm(x, weight=scale, bias=bias, eps=epsilon)


def _layer_norm(node: Node) -> Function:
    axis, epsilon = node.get("axis", -1), node.get("epsilon", 1e-5)

    def run(x: Any, scale: Any, bias: Any = None) -> Any:
        if len(scale.shape) != (-axis if axis < 0 else x.dim() - axis):
            raise UnsupportedError("LayerNormalization with a scale for some of its axes")
        return functional.layer_norm(x, tuple(scale.shape), scale, bias, epsilon)

    return run


def _group_norm(node: Node) -> Function:
    groups, epsilon = node.get("num_groups", 1), node.get("epsilon", 1e-5)

    def run(x: Any, scale: Any, bias: Any) -> Any:
        if node.opset < PER_CHANNEL_OPSET:
            each = x.shape[1] // groups
            scale, bias = scale.repeat_interleave(each), bias.repeat_interleave(each)
        return functional.group_norm(x, groups, scale, bias, epsilon)

    return run


def _softmax(function: Function) -> Operator:
    def make(node: Node) -> Function:
        if node.opset >= PER_AXIS_OPSET:
            axis = node.get("axis", -1)
            return lambda x: function(x, axis)
        first = node.get("axis", 1)

        def run(x: Any) -> Any:
            """Older versions flatten all axes from the first one on."""
            return function(x.flatten(first), -1).reshape(x.shape)

        return run

    return Operator(make)


def _gemm(node: Node) -> Function:
    alpha, beta = node.get("alpha", 1.0), node.get("beta", 1.0)
    turns = node.get("transA", 0), node.get("transB", 0)

    def run(a: Any, b: Any, c: Any = None) -> Any:
        a, b = (one.mT if turn else one for one, turn in zip((a, b), turns, strict=True))
        product = torch.matmul(a, b) * alpha
        return product if c is None else product + c * beta

    return run


def _einsum(node: Node) -> Function:
    equation = node.get("equation", "").replace(" ", "")
    factors, _, result = equation.partition("->")
    summed = {*factors} - {*result, ","}
    if "." in equation or not result or any(not summed <= {*f} for f in factors.split(",")):
        raise UnsupportedError(f"Einsum of {shown(equation)}")
    return lambda *tensors: torch.einsum(equation, *tensors)


def _free_convolution(node: Node) -> Function:
    """A convolution whose weights are computed from the picture."""
    group, strides = node.get("group", 1), node.get("strides", (1, 1))
    dilations = node.get("dilations", (1, 1))

    def run(x: Any, weight: Any, bias: Any = None) -> Any:
        pads = same_padding(node, tuple(weight.shape[2:]))
        if not is_even(pads):
            raise UnsupportedError("Conv with computed weights and uneven padding")
        return functional.conv2d(x, weight, bias, strides, pads[:2], dilations, group)

    return run


NORMALISING: dict[str, Operator] = {
    "Conv": Operator(_free_convolution),
    "Einsum": Operator(_einsum),
    "Gemm": Operator(_gemm),
    "GroupNormalization": Operator(_group_norm),
    "InstanceNormalization": Operator(_instance_norm),
    "LayerNormalization": Operator(_layer_norm),
    "LogSoftmax": _softmax(torch.log_softmax),
    "MatMul": Operator(lambda node: torch.matmul),
    "Softmax": _softmax(torch.softmax),
}
