"""From the bytes of an ONNX file to its graph, without running or opening anything it names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quantlib.errors import QuantlibError
from quantlib.models.checkpoint import MOST_NAMES, shown
from quantlib.models.graphs.library import onnx_library
from quantlib.models.graphs.node import Node
from quantlib.models.graphs.tensors import VALUES
from quantlib.models.graphs.wire import RefusedMessageError, inspect

OURS = "bitlens"
"""The key that marks the files that `bitlens export` writes."""
MOST_NODES = 5_000
OLDEST_OPSET = 11
DOMAINS = ("", "ai.onnx")
_QUANTIZED = ("QuantizeLinear", "DequantizeLinear", "ConvInteger", "MatMulInteger")


@dataclass(frozen=True, eq=False)
class Graph:
    """The operators in order, the constants by name, and the one input and output.

    `sides` are height and width that the input states; 0 where any will do. `model` is the file.
    """

    nodes: tuple[Node, ...]
    constants: Mapping[str, Any]
    input: str
    output: str
    channels: int
    sides: tuple[int, int]
    model: Any

    def without(self, names: frozenset[str]) -> bytes:
        """The file without the values of these constants, and without what only people read."""
        model = type(self.model)()
        model.CopyFrom(self.model)
        for constant in model.graph.initializer:
            if constant.name in names:
                for field in VALUES:
                    constant.ClearField(field)
        model.graph.ClearField("value_info")
        return model.SerializeToString(deterministic=True)


def read_graph(content: bytes, file: str) -> Graph:
    """The graph in the bytes of an ONNX file.

    Raises a `QuantlibError` for what is damaged, quantized already, keeps weights in other files,
    or holds operators of somebody's own, loops or branches.
    """
    onnx = onnx_library()
    damaged = f"{file} is not a complete ONNX file; export or download it again."
    try:
        inspect(content, onnx.ModelProto.DESCRIPTOR)
        model = onnx.load_model_from_string(content)
        graph = model.graph
        opset = max((one.version for one in model.opset_import if one.domain in DOMAINS), default=0)
    except RefusedMessageError as error:
        raise QuantlibError(damaged) from error
    except Exception as error:  # protobuf has an error of its own for every kind of damage
        raise QuantlibError(damaged) from error
    if not graph.node or not graph.output:
        raise QuantlibError(damaged)
    _refuse_what_is_elsewhere(model, file)
    if opset < OLDEST_OPSET:
        raise QuantlibError(
            f"{file} is written for opset {opset}; export it with opset {OLDEST_OPSET} or later."
        )
    if len(graph.node) > MOST_NODES or len(graph.initializer) > MOST_NAMES:
        raise QuantlibError(
            f"{file} holds {len(graph.node):,} operators and {len(graph.initializer):,} constants, "
            "more than any network here; choose another network."
        )
    nodes = tuple(_node(one, opset, file) for one in graph.node)
    constants = {one.name: one for one in graph.initializer}
    return Graph(nodes, constants, *_ends(graph, constants, file), model)


def _refuse_what_is_elsewhere(model: Any, file: str) -> None:
    graph = model.graph
    kinds = {node.op_type for node in graph.node}
    if any(one.key == OURS for one in model.metadata_props) and kinds & {*_QUANTIZED}:
        raise QuantlibError(f"{file} was exported by Bitlens; run it with --runtime onnx.")
    if any(kind in _QUANTIZED or kind.startswith("QLinear") for kind in kinds):
        raise QuantlibError(
            f"{file} is quantized already; choose the network in full precision that it was made "
            "of."
        )
    if model.functions or model.training_info or graph.sparse_initializer:
        raise QuantlibError(
            f"{file} holds functions or sparse weights; export a plain graph of operators."
        )


def _node(node: Any, opset: int, file: str) -> Node:
    onnx = onnx_library()
    if node.domain not in DOMAINS:
        raise QuantlibError(
            f"{file} uses {shown(node.op_type)} of {shown(node.domain)}, which is no operator of "
            "ONNX; export the network without operators of one's own."
        )
    if any(one.HasField("g") or one.graphs for one in node.attribute):
        raise QuantlibError(
            f"{file} uses {shown(node.op_type)}, which runs a graph inside the graph; export the "
            "network without loops and branches."
        )
    try:
        attributes = {
            one.name: onnx.helper.get_attribute_value(one)
            for one in node.attribute
            if one.type != onnx.AttributeProto.UNDEFINED
        }
    except ValueError as error:
        raise QuantlibError(
            f"{file} is not a complete ONNX file; export or download it again."
        ) from error
    for value in attributes.values():
        if isinstance(value, onnx.TensorProto):
            require_inside(value, file)
    return Node(
        shown(node.op_type),
        shown(node.name),
        tuple(node.input),
        tuple(node.output),
        attributes,
        opset,
    )


def require_inside(tensor: Any, file: str) -> None:
    """Refuses a constant whose values are in another file."""
    if tensor.data_location == onnx_library().TensorProto.EXTERNAL or tensor.external_data:
        raise QuantlibError(
            f"{file} keeps its weights in another file; export it with the weights inside "
            "(external_data=False)."
        )


def _ends(
    graph: Any, constants: Mapping[str, Any], file: str
) -> tuple[str, str, int, tuple[int, int]]:
    onnx = onnx_library()
    for constant in constants.values():
        require_inside(constant, file)
    inputs = [one for one in graph.input if one.name not in constants]
    if len(inputs) != 1 or len(graph.output) != 1:
        raise QuantlibError(
            f"{file} takes {len(inputs)} inputs and gives {len(graph.output)} outputs; choose a "
            "network that makes one picture of one."
        )
    stated = inputs[0].type.tensor_type
    floats = onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16
    if stated.elem_type not in floats:
        kind = onnx.TensorProto.DataType.Name(stated.elem_type)
        raise QuantlibError(
            f"{file} takes pictures as {kind}; export a network for floating-point RGB from 0 to 1."
        )
    sides = [one.dim_value for one in stated.shape.dim]
    if stated.HasField("shape") and len(sides) != 4:
        raise QuantlibError(
            f"{file} takes inputs of {len(sides)} axes; export a network for pictures "
            "(1, 3, height, width)."
        )
    _, channels, height, width = sides or (0, 0, 0, 0)
    return inputs[0].name, graph.output[0].name, channels, (max(height, 0), max(width, 0))
