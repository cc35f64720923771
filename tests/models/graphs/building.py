"""ONNX files made node by node."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

KINDS = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.int64): TensorProto.INT64}


def node(kind: str, inputs: str, outputs: str = "y", **attributes: Any) -> onnx.NodeProto:
    """A node whose inputs and outputs stand in one text; _ is a missing one."""
    given = ["" if name == "_" else name for name in inputs.split()]
    return helper.make_node(
        kind, given, outputs.split(), name=f"{kind}_of_{outputs.split()[0]}", **attributes
    )


def model(
    nodes: Sequence[onnx.NodeProto],
    weights: Mapping[str, Any] | None = None,
    sides: Sequence[Any] = ("n", 3, "h", "w"),
    opset: int = 18,
) -> onnx.ModelProto:
    """A file that makes `y` of a picture `x`."""
    stored = [
        numpy_helper.from_array(np.asarray(value), name) for name, value in (weights or {}).items()
    ]
    picture = helper.make_tensor_value_info("x", TensorProto.FLOAT, sides)
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(list(nodes), "made", [picture], [result], stored)
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def enlarging(scale: int = 2, *before: onnx.NodeProto, **weights: Any) -> onnx.ModelProto:
    """A file with three convolutions around `before`, which makes `b` of `a`, 4 channels each."""
    random = np.random.default_rng(0)

    def kernel(outputs: int, inputs: int) -> Any:
        return random.normal(0, 0.1, (outputs, inputs, 3, 3)).astype(np.float32)

    nodes = [
        node("Conv", "x head.weight", "a", pads=[1] * 4),
        *(before or [node("Relu", "a", "b")]),
        node("Conv", "b body.weight", "c", pads=[1] * 4),
        node("Conv", "c tail.weight", "d", pads=[1] * 4),
        node("DepthToSpace", "d", "y", blocksize=scale, mode="CRD"),
    ]
    own = {"head.weight": kernel(4, 3), "body.weight": kernel(4, 4)}
    return model(nodes, own | {"tail.weight": kernel(3 * scale**2, 4)} | weights)
