"""Operators that look at a window, at the whole picture or along axes."""

import math
from typing import Any

import torch
from torch.nn import functional

from quantlib.models.graphs.node import Node, UnsupportedError
from quantlib.models.graphs.operators.operator import (
    Function,
    Operator,
    as_pad,
    axes_of,
    is_even,
    same_padding,
)

_PICTURE = (2, 3)


def _window(node: Node) -> tuple[tuple[int, ...], tuple[int, ...], list[int]]:
    """Kernel, stride and padding of a pooling of pictures."""
    kernel = node.get("kernel_shape", ())
    if len(kernel) != len(_PICTURE):
        raise UnsupportedError(f"{node.kind} over {len(kernel)} axes")
    if set(node.get("dilations", (1, 1))) != {1}:
        raise UnsupportedError(f"{node.kind} with gaps")
    return kernel, node.get("strides", (1, 1)), same_padding(node, kernel)


def _max_pool(node: Node) -> Function:
    kernel, stride, pads = _window(node)
    up = bool(node.get("ceil_mode", 0))
    half = pads[: len(kernel)]
    if is_even(pads) and all(2 * p <= k for p, k in zip(half, kernel, strict=True)):
        return lambda x: functional.max_pool2d(x, kernel, stride, half, ceil_mode=up)

    def run(x: Any) -> Any:
        padded = functional.pad(x, as_pad(pads), value=-math.inf)
        return functional.max_pool2d(padded, kernel, stride, ceil_mode=up)

    return run


def _average_pool(node: Node) -> Function:
    kernel, stride, pads = _window(node)
    up, counts = bool(node.get("ceil_mode", 0)), bool(node.get("count_include_pad", 0))
    half = pads[: len(kernel)]
    if is_even(pads) and all(2 * p <= k for p, k in zip(half, kernel, strict=True)):
        return lambda x: functional.avg_pool2d(x, kernel, stride, half, up, counts)
    if not counts or up:
        raise UnsupportedError("AveragePool with uneven padding that is not counted")
    return lambda x: functional.avg_pool2d(functional.pad(x, as_pad(pads)), kernel, stride)


def _reduce(function: Function) -> Operator:
    def make(node: Node) -> Function:
        keeps, noop = bool(node.get("keepdims", 1)), bool(node.get("noop_with_empty_axes", 0))

        def run(x: Any, axes: Any = None) -> Any:
            along = axes_of(node, axes)
            if along is None and noop:
                return x
            return function(x, list(range(x.dim())) if along is None else along, keeps)

        return run

    return Operator(make, settings=(1,))


def _product(x: Any, axes: list[int], keeps: bool) -> Any:
    for axis in sorted((axis % x.dim() for axis in axes), reverse=True):
        x = torch.prod(x, axis, keeps)
    return x


POOLING: dict[str, Operator] = {
    "AveragePool": Operator(_average_pool),
    "GlobalAveragePool": Operator(lambda node: lambda x: functional.adaptive_avg_pool2d(x, 1)),
    "GlobalMaxPool": Operator(lambda node: lambda x: torch.amax(x, _PICTURE, True)),
    "MaxPool": Operator(_max_pool),
    "ReduceL1": _reduce(lambda x, axes, keeps: torch.sum(torch.abs(x), axes, keeps)),
    "ReduceL2": _reduce(lambda x, axes, keeps: torch.linalg.vector_norm(x, 2, axes, keeps)),
    "ReduceMax": _reduce(torch.amax),
    "ReduceMean": _reduce(torch.mean),
    "ReduceMin": _reduce(torch.amin),
    "ReduceProd": _reduce(_product),
    "ReduceSum": _reduce(torch.sum),
    "ReduceSumSquare": _reduce(lambda x, axes, keeps: torch.sum(x * x, axes, keeps)),
}
