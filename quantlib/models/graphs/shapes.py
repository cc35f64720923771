"""Arithmetic with the sizes of tensors, in small arrays of NumPy.

Graphs compute where to cut, pad and enlarge from the size of the picture. While a graph is traced,
sizes are what stands for numbers; arrays of objects hold them.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from torch import Tensor

from quantlib.models.graphs.library import onnx_library
from quantlib.models.graphs.node import Node, UnsupportedError

MOST = 4096
"""Numbers in such an array."""

Values = np.ndarray[Any, Any]


class ShapeOf:
    """The function of a `Shape`; it knows how many axes there are once it has seen a tensor."""

    def __init__(self, node: Node) -> None:
        self.start, self.end = node.get("start", 0), node.get("end", 1 << 31)
        self.axes = 0

    def __call__(self, x: Any) -> Values:
        if isinstance(x, np.ndarray | Tensor):
            self.axes = len(x.shape)
        return _array([x.shape[axis] for axis in range(self.axes)][self.start : self.end])


def _array(numbers: list[Any]) -> Values:
    """An array of whole numbers, or of what stands for them."""
    if all(isinstance(one, int) for one in numbers):
        return np.array(numbers, np.int64)
    made = np.empty(len(numbers), object)
    for at, one in enumerate(numbers):
        made[at] = one
    return made


def _divide(x: Values, y: Values) -> Any:
    if "f" in (x.dtype.kind, y.dtype.kind):
        return x / y
    if "O" in (x.dtype.kind, y.dtype.kind):
        return x // y
    if not np.all(y):
        raise ZeroDivisionError
    quotient = np.abs(x) // np.abs(y)
    return quotient * np.sign(x) * np.sign(y)


def _cast(node: Node) -> Callable[[Values], Any]:
    name = onnx_library().TensorProto.DataType.Name(node.get("to", 1))
    kinds = {"FLOAT": np.float64, "DOUBLE": np.float64, "INT64": np.int64, "INT32": np.int64}
    kinds |= {"BOOL": np.bool_}
    if name not in kinds:
        raise UnsupportedError(f"Cast to {name}")
    return lambda x: x if x.dtype == object else np.trunc(x).astype(kinds[name])


def _axes(node: Node, given: Values | None) -> tuple[int, ...]:
    stated = node.get("axes", ()) if given is None else given.reshape(-1).tolist()
    return tuple(stated)


def _squeeze(node: Node) -> Callable[..., Any]:
    return lambda x, axes=None: np.squeeze(x, _axes(node, axes) or None)


def _unsqueeze(node: Node) -> Callable[..., Any]:
    return lambda x, axes=None: np.expand_dims(x, _axes(node, axes))


def _gather(node: Node) -> Callable[..., Any]:
    axis = node.get("axis", 0)
    return lambda x, places: np.take(x, places.astype(np.int64), axis)


def _concat(node: Node) -> Callable[..., Any]:
    axis = node.get("axis", 0)
    return lambda *parts: np.concatenate(parts, axis)


def _slice(node: Node) -> Callable[..., Any]:
    def run(
        x: Values, starts: Values, ends: Values, axes: Values | None = None, steps: Any = None
    ) -> Any:
        by = np.ones(len(starts), np.int64) if steps is None else steps
        along = range(len(starts)) if axes is None else axes.tolist()
        parts = [slice(None)] * x.ndim
        for axis, start, end, step in zip(along, starts, ends, by, strict=True):
            stop = None if step < 0 and end < -x.shape[axis] else int(end)
            parts[axis] = slice(int(start), stop, int(step))
        return x[tuple(parts)]

    return run


def _reshape(node: Node) -> Callable[..., Any]:
    def run(x: Values, shape: Values) -> Any:
        return x.reshape([x.shape[i] if s == 0 else s for i, s in enumerate(shape.tolist())])

    return run


def _transpose(node: Node) -> Callable[..., Any]:
    return lambda x: x.transpose(node.get("perm", ()) or None)


def _split(node: Node) -> Callable[..., Any]:
    axis = node.get("axis", 0)

    def run(x: Values, sizes: Values | None = None) -> Any:
        stated = node.get("split", ()) if sizes is None else tuple(sizes.tolist())
        if not stated:
            return np.array_split(x, len(node.outputs), axis)
        return np.split(x, np.cumsum(stated)[:-1], axis)

    return run


def _filled(node: Node) -> Callable[..., Any]:
    value = node.attributes.get("value")

    def run(shape: Values) -> Any:
        from quantlib.models.graphs.tensors import tensor_of

        filling = np.zeros(1) if value is None else tensor_of(value).numpy()
        return np.broadcast_to(filling.reshape(()), shape.tolist())

    return run


def _expand(x: Values, shape: Values) -> Any:
    return np.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(shape.tolist())))


def _range(start: Values, limit: Values, step: Values) -> Any:
    first, last, by = (one.item() for one in (start, limit, step))
    if not by or (last - first) / by > MOST:
        raise UnsupportedError("a Range of many numbers")
    return np.arange(first, last, by)


def _reduce(function: Callable[..., Any]) -> Callable[[Node], Callable[..., Any]]:
    def make(node: Node) -> Callable[..., Any]:
        keeps = bool(node.get("keepdims", 1))
        return lambda x, axes=None: np.asarray(
            function(x, axis=_axes(node, axes) or None, keepdims=keeps)
        )

    return make


def _plain(function: Callable[..., Any]) -> Callable[[Node], Callable[..., Any]]:
    return lambda node: function


SHAPES: dict[str, Callable[[Node], Callable[..., Any]]] = {
    "Abs": _plain(np.abs),
    "Add": _plain(np.add),
    "And": _plain(np.logical_and),
    "Cast": _cast,
    "Ceil": _plain(np.ceil),
    "Concat": _concat,
    "ConstantOfShape": _filled,
    "Div": _plain(_divide),
    "Equal": _plain(np.equal),
    "Expand": _plain(_expand),
    "Floor": _plain(np.floor),
    "Gather": _gather,
    "Greater": _plain(np.greater),
    "GreaterOrEqual": _plain(np.greater_equal),
    "Identity": _plain(lambda x: x),
    "Less": _plain(np.less),
    "LessOrEqual": _plain(np.less_equal),
    "Max": _plain(lambda *all_: np.maximum.reduce(np.broadcast_arrays(*all_))),
    "Min": _plain(lambda *all_: np.minimum.reduce(np.broadcast_arrays(*all_))),
    "Mod": _plain(np.mod),
    "Mul": _plain(np.multiply),
    "Neg": _plain(np.negative),
    "Not": _plain(np.logical_not),
    "Or": _plain(np.logical_or),
    "Range": _plain(_range),
    "ReduceMax": _reduce(np.max),
    "ReduceMin": _reduce(np.min),
    "ReduceProd": _reduce(np.prod),
    "ReduceSum": _reduce(np.sum),
    "Reshape": _reshape,
    "Round": _plain(np.rint),
    "Shape": ShapeOf,
    "Size": _plain(lambda x: np.int64(x.size) if isinstance(x, np.ndarray) else x.numel()),
    "Slice": _slice,
    "Split": _split,
    "Sqrt": _plain(np.sqrt),
    "Squeeze": _squeeze,
    "Sub": _plain(np.subtract),
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
    "Where": _plain(np.where),
}
"""The operators that work on sizes, by the names that ONNX has for them."""


def computed(function: Callable[..., Any], *values: Any) -> list[Values]:
    """What `function` makes of small arrays, as arrays; an UnsupportedError for a large one."""
    made = function(*values)
    results = [_kept(one) for one in (made if isinstance(made, list) else [made])]
    if any(one.size > MOST for one in results):
        raise UnsupportedError("arithmetic with more sizes than a network has")
    return results


def _kept(value: Any) -> Values:
    """NumPy takes a single object out of its array; here it stays in one."""
    if isinstance(value, np.ndarray | np.generic):
        return np.asarray(value)
    made = np.empty((), object)
    made[()] = value
    return made
