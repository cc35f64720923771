"""Operators that move values, or cut and join tensors."""

from typing import Any

import torch
from torch.nn import functional

from quantlib.models.graphs.node import Node, UnsupportedError
from quantlib.models.graphs.operators.operator import (
    Function,
    Operator,
    as_pad,
    axes_of,
    has_values,
    is_zero,
    whole,
)

_PADS = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}
_LAST = -(1 << 31)
"""Whatever lies before it is before the first value of any axis."""


def _reshape(node: Node) -> Function:
    keeps = not node.get("allowzero", 0)

    def run(x: Any, shape: Any) -> Any:
        sides = whole(shape)
        return x.reshape([x.shape[i] if is_zero(s) and keeps else s for i, s in enumerate(sides)])

    return run


def _transpose(node: Node) -> Function:
    order = node.get("perm", ())
    return lambda x: x.permute(order) if order else x.permute(tuple(range(x.dim()))[::-1])


def _concat(node: Node) -> Function:
    axis = node.get("axis", 0)
    return lambda *parts: torch.cat(parts, axis)


def _split(node: Node) -> Function:
    axis, count = node.get("axis", 0), len(node.outputs)

    def run(x: Any, sizes: Any = None) -> Any:
        stated = whole(sizes) if has_values(sizes) else list(node.get("split", ()))
        return torch.split(x, stated, axis) if stated else torch.chunk(x, count, axis)

    return run


def _slice(node: Node) -> Function:
    def run(x: Any, starts: Any, ends: Any, axes: Any = None, steps: Any = None) -> Any:
        first, last = whole(starts), whole(ends)
        along = whole(axes) if has_values(axes) else list(range(len(first)))
        by = whole(steps) if has_values(steps) else [1] * len(first)
        for axis, start, end, step in zip(along, first, last, by, strict=True):
            if isinstance(step, int) and step < 0:
                if (start, step) != (-1, -1) or end > _LAST:
                    raise UnsupportedError("Slice backwards over a part")
                x = torch.flip(x, (axis,))
            else:
                x = _cut(x, axis, slice(start, end, step))
        return x

    return run


def _cut(x: Any, axis: int, part: slice) -> Any:
    if axis < 0:
        return x[(..., part, *[slice(None)] * (-axis - 1))]
    return x[(*[slice(None)] * axis, part)]


def _squeeze(node: Node) -> Function:
    def run(x: Any, axes: Any = None) -> Any:
        along = axes_of(node, axes)
        return x.squeeze() if along is None else torch.squeeze(x, tuple(along))

    return run


def _unsqueeze(node: Node) -> Function:
    def run(x: Any, axes: Any = None) -> Any:
        along = axes_of(node, axes) or []
        if any(axis < 0 for axis in along):
            rank = x.dim() + len(along)
            along = [axis % rank for axis in along]
        for axis in sorted(along):
            x = x.unsqueeze(axis)
        return x

    return run


def _flatten(node: Node) -> Function:
    axis = node.get("axis", 1)

    def run(x: Any) -> Any:
        if axis == 1:
            return torch.flatten(x, 1)
        before = axis % x.dim() if axis < 0 else axis
        rows = torch.Size(x.shape[:before]).numel()
        return x.reshape(rows, -1)

    return run


def _expand(x: Any, shape: Any) -> Any:
    return x.expand(torch.broadcast_shapes(x.shape, tuple(whole(shape))))


def _tile(x: Any, repeats: Any) -> Any:
    return x.repeat(whole(repeats))


def _gather(node: Node) -> Function:
    axis = node.get("axis", 0)

    def run(x: Any, places: Any) -> Any:
        if isinstance(places, int):
            return x.select(axis, places)
        flat = places.reshape(-1)
        flat = torch.where(flat < 0, flat + x.shape[axis], flat)
        return x.index_select(axis, flat).unflatten(axis, places.shape)

    return run


def _pad(node: Node) -> Function:
    known = tuple(_PADS)
    mode = _PADS[node.require("mode", "constant", *known)]

    def run(x: Any, pads: Any, value: Any = None, axes: Any = None) -> Any:
        sides = whole(pads)
        if has_values(axes):
            sides = _on_all_axes(sides, whole(axes), x.dim())
        turned = as_pad(sides)
        while len(turned) > 2 and is_zero(turned[-1]) and is_zero(turned[-2]):
            turned = turned[:-2]
        if mode != "constant":
            return functional.pad(x, turned, mode)
        filled = float(value.item()) if has_values(value) else 0.0
        return functional.pad(x, turned, mode, filled)

    return run


def _on_all_axes(sides: list[Any], axes: list[int], rank: int) -> list[Any]:
    result = [0] * (2 * rank)
    for at, axis in enumerate(axes):
        result[axis % rank] = sides[at]
        result[axis % rank + rank] = sides[at + len(axes)]
    return result


def _depth_to_space(node: Node) -> Function:
    block = node.get("blocksize", 0)
    if node.require("mode", "DCR", "DCR", "CRD") == "CRD":
        return lambda x: functional.pixel_shuffle(x, block)
    return lambda x: functional.pixel_shuffle(_swapped(x, (block * block, -1)), block)


def _space_to_depth(node: Node) -> Function:
    block = node.get("blocksize", 0)
    return lambda x: _swapped(functional.pixel_unshuffle(x, block), (-1, block * block))


def _swapped(x: Any, parts: tuple[int, int]) -> Any:
    """Channels that count through two axes, counted through the other way round."""
    return x.unflatten(1, parts).transpose(1, 2).flatten(1, 2)


def _filled(node: Node) -> Function:
    value = node.attributes.get("value")

    def run(shape: Any) -> Any:
        from quantlib.models.graphs.tensors import tensor_of

        filling = torch.zeros(1) if value is None else tensor_of(value)
        return filling.reshape(()).expand(whole(shape)).clone()

    return run


SHAPING: dict[str, Operator] = {
    "Concat": Operator(_concat),
    "ConstantOfShape": Operator(_filled, settings=(0,)),
    "DepthToSpace": Operator(_depth_to_space),
    "Expand": Operator(lambda node: _expand, settings=(1,)),
    "Flatten": Operator(_flatten),
    "Gather": Operator(_gather),
    "Pad": Operator(_pad, settings=(1, 2, 3)),
    "Reshape": Operator(_reshape, settings=(1,)),
    "Slice": Operator(_slice, settings=(1, 2, 3, 4)),
    "SpaceToDepth": Operator(_space_to_depth),
    "Split": Operator(_split, settings=(1,)),
    "Squeeze": Operator(_squeeze, settings=(1,)),
    "Tile": Operator(lambda node: _tile, settings=(1,)),
    "Transpose": Operator(_transpose),
    "Unsqueeze": Operator(_unsqueeze, settings=(1,)),
}
