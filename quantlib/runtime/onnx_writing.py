"""A traced network node by node, as ONNX has it."""

import operator
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn

from quantlib.errors import QuantlibError
from quantlib.runtime.grids import CodeGrid
from quantlib.runtime.layers import IntegerLayer
from quantlib.runtime.lowering import LoweredLayer, integer_layer
from quantlib.runtime.onnx_graph import OnnxGraph, Value
from quantlib.runtime.onnx_operators import is_move, operator_of
from quantlib.runtime.products import IntegerWeight, Requantisation
from quantlib.runtime.tracing import Node, calls, is_layer, is_relu, module_of, nodes

LANES, MULTIPLE = 16, 4  # what ONNX Runtime's fast convolution asks of outputs and inputs


def result_of(graph: fx.GraphModule) -> Node:
    """The node whose value the network gives."""
    return nodes(graph)[-1].args[0]


class OnnxWriter:
    """The nodes of `graph` one after the other, each as ONNX has it."""

    def __init__(
        self, graph: fx.GraphModule, form: str, grids: dict[Node, CodeGrid], picture: bool
    ) -> None:
        self.onnx, self.graph, self.grids, self.picture = OnnxGraph(), graph, grids, picture
        self.everything = form == "int8"
        self.values: dict[Node, Value] = {}
        self.layers: list[LoweredLayer] = []
        self._made: dict[Node, IntegerLayer] = {}
        for node in nodes(graph):
            layer = module_of(node)
            if layer is not None and is_layer(layer):
                grid = self.grids.get(node.args[0])
                answer, made = integer_layer(str(node.target), layer, grid)
                self.layers.append(answer)
                if made is not None:
                    self._made[node] = made
        for node in nodes(graph):
            self._write(node)

    def model(self, metadata: dict[str, str]) -> Any:
        helper, kind = self.onnx.onnx.helper, self.onnx.onnx.TensorProto.FLOAT
        pixels = ["batch", 3, "height", "width"]
        enlarged = ["batch", 3, "enlarged_height", "enlarged_width"]
        shape = enlarged if self.picture else ["batch", "classes"]
        given = helper.make_tensor_value_info("picture", kind, pixels)
        result = helper.make_tensor_value_info("result", kind, shape)
        return self.onnx.model([given], [result], metadata)

    def _write(self, node: Node) -> None:
        if node.op == "placeholder":
            self.values[node] = self._settled(node, "picture")
        elif node.op == "get_attr":
            tensor = _attribute(self.graph, str(node.target))
            self.values[node] = Value(self.onnx.constant(tensor.numpy(), str(node.target)))
        elif node.op == "output":
            self.onnx.add("Identity", [self._real(node.args[0])], "result")
        elif node in self._made:
            self._write_integer(node, self._made[node])
        elif (layer := module_of(node)) is not None and is_layer(layer):
            self._write_float(node, layer)
        else:
            self._write_between(node)

    def _write_between(self, node: Node) -> None:
        kind, attributes = operator_of(node)
        source = self.values[node.args[0]] if isinstance(node.args[0], fx.Node) else None
        if is_relu(node) and self._next(node.args[0]) is not None:
            self.values[node] = self.values[node.args[0]]  # done before the codes were made
            return
        arrays = {k: v for k, v in attributes.items() if isinstance(v, np.ndarray | np.generic)}
        plain = {k: v for k, v in attributes.items() if k not in arrays}
        constants = [self.onnx.constant(array, name) for name, array in arrays.items()]
        if kind == "Resize":
            constants = ["", *constants]
        if is_move(node) and source is not None and source.codes:
            codes = self.onnx.add(kind, [source.codes, *constants], node.name, **plain)
            self.values[node] = Value(codes=codes, grid=source.grid)
            return
        inputs = [self._argument(argument) for argument in _operands(node, kind)]
        if kind == "Add" and node.kwargs.get("alpha", 1) != 1:
            alpha = self.onnx.constant(np.float32(node.kwargs["alpha"]), "alpha")
            inputs[1] = self.onnx.add("Mul", [inputs[1], alpha])
        real = self.onnx.add(kind, [*inputs, *constants], node.name, **plain)
        self.values[node] = self._settled(node, real)

    def _settled(self, node: Node, real: str) -> Value:
        """FP32 values, as 8-bit codes where codes are wanted and nothing is in the way."""
        if not self.everything or self._is_left(node):
            return Value(real)
        grid = self.grids[node]
        return Value(codes=self.onnx.quantize(real, grid), grid=grid)

    def _is_left(self, node: Node) -> bool:
        """Whether values stay as they are: before a rectifier, when normalised, and as logits."""
        normalised = calls(node, operator.sub, operator.truediv)
        logits = node is result_of(self.graph) and not self.picture
        return normalised or logits or _rectified(node)

    def _write_float(self, node: Node, layer: nn.Module) -> None:
        weight: Tensor = layer.weight.detach()  # type: ignore[union-attr, assignment]
        parts = [
            self._real(node.args[0]),
            self.onnx.constant(weight.numpy(), f"{node.name}_weight"),
        ]
        if layer.bias is not None:
            bias: Tensor = layer.bias.detach()  # type: ignore[union-attr, assignment]
            parts.append(self.onnx.constant(bias.numpy(), f"{node.name}_bias"))
        self.values[node] = self._settled(node, self._product(node, layer, parts))

    def _product(self, node: Node, layer: nn.Module, inputs: list[str]) -> str:
        if isinstance(layer, nn.Linear):
            return self.onnx.add("Gemm", inputs, node.name, transB=1)
        if not isinstance(layer, nn.Conv2d) or isinstance(layer.padding, str):
            raise QuantlibError(
                f"The layer {node.target} (a {type(layer).__name__}) has no form in ONNX here; "
                "export another network, or run this one with --runtime torch."
            )
        return self.onnx.add(
            "Conv",
            inputs,
            node.name,
            strides=list(layer.stride),
            pads=list(layer.padding) * 2,
            dilations=list(layer.dilation),
            group=layer.groups,
        )

    def _write_integer(self, node: Node, made: IntegerLayer) -> None:
        layer = module_of(node)
        assert layer is not None
        output = self._next(node)
        weight, bias, outputs = made.weight, made.bias, made.weight.codes.shape[0]
        bias = torch.zeros(outputs) if bias is None else bias.detach().float()
        if output is not None and output.grid.shift is not None:
            bias = bias + output.grid.shift
        codes = self._codes(node.args[0], made.grid)
        if _is_padded(layer):
            codes = self._with_channels(codes, made, -weight.codes.shape[1] % MULTIPLE)
            weight, bias = _filled(weight, bias)
        values, steps = self.onnx.weight(weight, f"{node.name}_weight")
        steps = (np.float32(made.grid.step) * steps).astype(np.float32)
        bias_values = self.onnx.bias(bias.numpy(), steps, f"{node.name}_bias")
        inputs = [self.onnx.dequantize(codes, made.grid), values, bias_values]
        real = self._product(node, layer, inputs)
        self.values[node] = self._result_of(node, real, output, outputs)

    def _result_of(
        self, node: Node, real: str, output: Requantisation | None, outputs: int
    ) -> Value:
        """A layer's sums as codes: those of the next quantizer, or 8 bits of what was measured."""
        if output is None and self._is_left(node):
            return Value(self._kept(real, node, outputs))
        grid = self.grids[node] if output is None else output.grid
        codes = self._kept(self.onnx.quantize(real, grid), node, outputs)
        if output is not None and output.floor is not None:
            codes = self._raised(codes, output)
        return Value(codes=codes, grid=grid)

    def _kept(self, name: str, node: Node, outputs: int) -> str:
        """The outputs that a layer had before it was padded."""
        if not _is_padded(module_of(node)) or _wanted(outputs) == outputs:
            return name
        ends = [self.onnx.constant(np.array([n]), "bound") for n in (0, outputs, 1)]
        return self.onnx.add("Slice", [name, *ends], f"{node.name}_kept")

    def _raised(self, codes: str, output: Requantisation) -> str:
        """Rectified before the shift: no code below that of the shift itself."""
        floor = output.floor
        assert floor is not None
        lowest = (floor.float() - output.grid.offset) * output.grid.step
        bound = self.onnx.constant(lowest.view(1, -1, 1, 1).numpy(), "floor")
        raised = self.onnx.add("Max", [self.onnx.dequantize(codes, output.grid), bound])
        return self.onnx.quantize(raised, output.grid)

    def _next(self, node: Node) -> Requantisation | None:
        """What a layer's sums become behind a rectifier, or for the learned quantizer behind it."""
        if node not in self._made or len(node.users) != 1:
            return None
        (reader,) = node.users
        relu = reader if is_relu(reader) else None
        if relu is not None:
            reader = next(iter(relu.users)) if len(relu.users) == 1 else None
        made = self._made.get(reader) if reader is not None else None
        if reader is not None and made and made.grid is not self.grids[reader.args[0]]:
            return Requantisation(made.grid, relu is not None)
        return None if relu is None else Requantisation(self.grids[relu], True)

    def _codes(self, node: Node, grid: CodeGrid) -> str:
        """The codes of a value on a layer's grid."""
        value = self.values[node]
        if value.codes and value.grid is grid:
            return value.codes
        real = self._real(node)
        if grid.shift is not None:
            shift = self.onnx.constant(grid.shift.view(1, -1, 1, 1).numpy(), "shift")
            real = self.onnx.add("Add", [real, shift], f"{real}_shifted")
        codes = self.onnx.quantize(real, grid)
        if not value.codes:
            value.codes, value.grid = codes, grid
        return codes

    def _real(self, node: Node) -> str:
        value = self.values[node]
        if not value.real:
            assert value.grid is not None
            value.real = self.onnx.dequantize(value.codes, value.grid)
        return value.real

    def _argument(self, argument: object) -> str:
        if isinstance(argument, fx.Node):
            return self._real(argument)
        return self.onnx.constant(np.float32(argument), "number")  # type: ignore[arg-type]

    def _with_channels(self, codes: str, made: IntegerLayer, more: int) -> str:
        if not more:
            return codes
        sides = self.onnx.constant(np.array([0, 0, 0, 0, 0, more, 0, 0]), "sides")
        return self.onnx.add("Pad", [codes, sides], f"{codes}_padded")


def _operands(node: Node, kind: str) -> list[object]:
    """What an operator computes with; what says how is among its attributes."""
    first = node.args[0]
    if isinstance(first, list | tuple):
        return list(first)
    return list(node.args[:2]) if kind in ("Add", "Sub", "Mul", "Div") else [first]


def _rectified(node: Node) -> bool:
    """Whether a rectifier alone reads a value, so that codes are made behind it."""
    readers = list(node.users)
    return len(readers) == 1 and is_relu(readers[0])


def _attribute(graph: fx.GraphModule, name: str) -> Tensor:
    owner, _, last = name.rpartition(".")
    return getattr(graph.get_submodule(owner), last).detach()


def _is_padded(layer: nn.Module | None) -> bool:
    return isinstance(layer, nn.Conv2d) and layer.groups == 1


def _wanted(outputs: int) -> int:
    return max(LANES, outputs + -outputs % MULTIPLE)


def _filled(weight: IntegerWeight, bias: Tensor) -> tuple[IntegerWeight, Tensor]:
    """Silent inputs and outputs, so that the fast convolution takes the layer."""
    outputs, inputs = weight.codes.shape[:2]
    more = _wanted(outputs) - outputs
    shape = outputs + more, inputs + -inputs % MULTIPLE, *weight.codes.shape[2:]
    codes = weight.codes.new_zeros(shape)
    codes[:outputs, :inputs] = weight.codes
    steps = torch.cat([weight.steps, weight.steps.new_ones(more)])
    return IntegerWeight(codes, steps), torch.cat([bias, bias.new_zeros(more)])
