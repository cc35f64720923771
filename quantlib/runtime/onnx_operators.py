"""What ONNX calls the operations between the layers of a network."""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from quantlib.errors import QuantlibError
from quantlib.runtime.tracing import Node, calls, is_layer, is_relu, module_of, shuffle_factor

MOVES = ("DepthToSpace", "MaxPool", "Slice", "Identity", "Flatten")


def is_move(node: Node) -> bool:
    """Whether a node only moves values, and so works on codes as well."""
    if node.op in ("placeholder", "get_attr", "output") or is_layer(module_of(node)):
        return False
    operator, attributes = operator_of(node)
    return operator in MOVES or attributes.get("mode") == "nearest"


def operator_of(node: Node) -> tuple[str, dict[str, Any]]:
    """ONNX's name for what a node does, with its attributes; a QuantlibError where there is none.

    Constants that ONNX has as inputs stand among the attributes as arrays.
    """
    module = module_of(node)
    if is_relu(node):
        return "Relu", {}
    if factor := shuffle_factor(node):
        return "DepthToSpace", {"blocksize": factor, "mode": "CRD"}
    if isinstance(module, (nn.Identity, nn.Dropout)):
        return "Identity", {}
    if isinstance(module, nn.ReLU6):
        return "Clip", {"low": np.float32(0), "high": np.float32(6)}
    if isinstance(module, nn.LeakyReLU):
        return "LeakyRelu", {"alpha": module.negative_slope}
    if isinstance(module, nn.Sigmoid):
        return "Sigmoid", {}
    if isinstance(module, nn.MaxPool2d):
        return "MaxPool", _pooling(module.kernel_size, module.stride, module.padding)
    if isinstance(module, nn.AdaptiveAvgPool2d) and module.output_size in (1, (1, 1)):
        return "GlobalAveragePool", {}
    if isinstance(module, nn.Flatten):
        return "Flatten", {"axis": module.start_dim}
    for functions, read in _FUNCTIONS:
        if calls(node, *functions):
            found = read(node)
            if found is not None:
                return found
    raise QuantlibError(
        f"{place(node)} has no form in ONNX here; export another network, or run this one with "
        "--runtime torch."
    )


def place(node: Node) -> str:
    """A node in a person's words: the layer, or the function with the layer before it."""
    if node.op == "call_module":
        return f"The layer {node.target} (a {type(module_of(node)).__name__})"
    name = getattr(node.target, "__name__", str(node.target))
    before = [other for other in node.all_input_nodes if other.op == "call_module"]
    return f"The operation {name}" + (f" after layer {before[0].target}" if before else "")


def _pooling(kernel: Any, stride: Any, padding: Any) -> dict[str, Any]:
    sides = [list(n) if isinstance(n, tuple) else [n, n] for n in (kernel, stride, padding)]
    return {"kernel_shape": sides[0], "strides": sides[1], "pads": sides[2] * 2}


def _given(node: Node, place: int, name: str, default: Any = None) -> Any:
    if len(node.args) > place:
        return node.args[place]
    return node.kwargs.get(name, default)


def _resize(node: Node) -> tuple[str, dict[str, Any]] | None:
    factor, mode = _given(node, 2, "scale_factor"), _given(node, 3, "mode", "nearest")
    if factor is None or mode not in ("nearest", "bilinear") or _given(node, 4, "align_corners"):
        return None
    factors = np.array([1, 1, factor, factor], np.float32)
    if mode == "nearest":
        kind = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return "Resize", {"scales": factors, "mode": "nearest", **kind}
    kind = {"coordinate_transformation_mode": "half_pixel"}
    return "Resize", {"scales": factors, "mode": "linear", **kind}


def _mean(node: Node) -> tuple[str, dict[str, Any]] | None:
    axes = _given(node, 1, "dim")
    if tuple(axes or ()) not in ((2, 3), (-2, -1)):
        return None
    return "ReduceMean", {"axes": np.array([2, 3]), "keepdims": int(_given(node, 2, "keepdim", 0))}


def _pad(node: Node) -> tuple[str, dict[str, Any]] | None:
    sides = list(_given(node, 1, "pad"))
    if _given(node, 2, "mode", "constant") != "constant" or _given(node, 3, "value"):
        return None
    sides += [0] * (8 - len(sides))
    return "Pad", {"pads": np.array([*sides[-2::-2], *sides[:0:-2]])}


def _slice(node: Node) -> tuple[str, dict[str, Any]] | None:
    """`x[..., a:b:c, d:e:f]` with whole numbers of a four-dimensional tensor."""
    chosen = node.args[1]
    if not isinstance(chosen, tuple) or chosen[:1] != (Ellipsis,):
        return None
    parts = chosen[1:]
    if not all(isinstance(p, slice) and p.stop is None for p in parts):
        return None
    starts = [int(p.start or 0) for p in parts]
    steps = [int(p.step or 1) for p in parts]
    axes, ends = list(range(4 - len(parts), 4)), [np.iinfo(np.int64).max] * len(parts)
    return "Slice", {
        "starts": np.array(starts),
        "ends": np.array(ends),
        "axes": np.array(axes),
        "steps": np.array(steps),
    }


_FUNCTIONS: list[tuple[tuple[Any, ...], Callable[[Node], tuple[str, dict[str, Any]] | None]]] = [
    ((torch.add, operator.add, operator.iadd, "add", "add_"), lambda n: ("Add", {})),
    ((torch.sub, operator.sub, "sub"), lambda n: ("Sub", {})),
    ((torch.mul, operator.mul, "mul"), lambda n: ("Mul", {})),
    ((torch.div, operator.truediv, "div"), lambda n: ("Div", {})),
    ((torch.sigmoid, functional.sigmoid, "sigmoid"), lambda n: ("Sigmoid", {})),
    (
        (functional.leaky_relu,),
        lambda n: ("LeakyRelu", {"alpha": float(_given(n, 1, "negative_slope", 0.01))}),
    ),
    ((functional.relu6,), lambda n: ("Clip", {"low": np.float32(0), "high": np.float32(6)})),
    ((torch.cat,), lambda n: ("Concat", {"axis": int(_given(n, 1, "dim", 0))})),
    ((functional.interpolate,), _resize),
    ((torch.mean, "mean"), _mean),
    ((functional.pad,), _pad),
    ((operator.getitem,), _slice),
    (
        (functional.adaptive_avg_pool2d,),
        lambda n: ("GlobalAveragePool", {}) if n.args[1] in (1, (1, 1)) else None,
    ),
    (
        (functional.max_pool2d,),
        lambda n: (
            "MaxPool",
            _pooling(n.args[1], _given(n, 2, "stride") or n.args[1], _given(n, 3, "padding", 0)),
        ),
    ),
    (
        (torch.flatten, "flatten"),
        lambda n: ("Flatten", {"axis": 1}) if _given(n, 1, "start_dim", 0) == 1 else None,
    ),
]
