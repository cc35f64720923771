"""An ONNX graph under construction: constants, nodes, and integers as QDQ has them."""

from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from quantlib.models.graphs.library import onnx_library
from quantlib.runtime.grids import BYTE, CodeGrid
from quantlib.runtime.products import IntegerWeight

OPSET, IR = 21, 10
OPSET_OF_TWO_BITS, IR_OF_TWO_BITS = 25, 13


@dataclass
class Value:
    """What a node gives: `real` names the FP32 tensor, `codes` the `uint8` one on `grid`.

    One of both may be missing until somebody asks for it.
    """

    real: str = ""
    codes: str = ""
    grid: CodeGrid | None = None


class OnnxGraph:
    """Nodes and initializers, every constant once."""

    def __init__(self) -> None:
        self.onnx = onnx_library()
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self._constants: dict[tuple[Any, ...], str] = {}
        self._names: set[str] = set()
        self.two_bits = False

    def name(self, wish: str) -> str:
        """`wish`, with a number where it is taken."""
        free = (wish if n == 0 else f"{wish}.{n}" for n in count())
        name = next(name for name in free if name not in self._names)
        self._names.add(name)
        return name

    def constant(self, array: Any, wish: str = "constant") -> str:
        array = np.asarray(array)
        key = array.dtype.str, array.shape, array.tobytes()
        if key not in self._constants:
            self._constants[key] = self.name(wish)
            made = self.onnx.numpy_helper.from_array(array, self._constants[key])
            self.initializers.append(made)
        return self._constants[key]

    def add(self, operator: str, inputs: list[str], wish: str = "", **attributes: Any) -> str:
        """A node with one output, whose name is returned."""
        output = self.name(wish or operator.lower())
        make = self.onnx.helper.make_node
        self.nodes.append(make(operator, inputs, [output], name=output, **attributes))
        return output

    def scale_and_zero(self, grid: CodeGrid) -> list[str]:
        return [
            self.constant(np.float32(grid.step), "step"),
            self.constant(np.uint8(grid.offset), "zero_point"),
        ]

    def quantize(self, real: str, grid: CodeGrid) -> str:
        """The codes of `real`, to which the shift has been added."""
        codes = self.add("QuantizeLinear", [real, *self.scale_and_zero(grid)], f"{real}_codes")
        top = grid.qmax - grid.qmin
        if top < BYTE.qmax:  # the C of QCDQ
            ends = [self.constant(np.uint8(end), "end") for end in (0, top)]
            codes = self.add("Clip", [codes, *ends], f"{real}_clipped")
        return codes

    def dequantize(self, codes: str, grid: CodeGrid) -> str:
        return self.add("DequantizeLinear", [codes, *self.scale_and_zero(grid)], f"{codes}_values")

    def weight(self, weight: IntegerWeight, wish: str) -> tuple[str, np.ndarray]:
        """Weights as they are multiplied, and the step of each output as the kernel sees it.

        Codes of few bits are stored at their size. As `int8` they are moved to the upper bits, so
        that a bias, which is a whole number of steps, is rounded finely.
        """
        codes, steps = weight.codes.numpy(), weight.steps.numpy()
        bits = 2 if _fits(codes, 2) else 4 if _fits(codes, 4) else 8
        factor = 1 << (8 - bits)
        stored = self.name(wish)
        if bits < 8:
            import ml_dtypes  # comes with onnx

            codes = codes.astype(getattr(ml_dtypes, f"int{bits}"))
        self.initializers.append(self.onnx.numpy_helper.from_array(codes, stored))
        ready = stored
        if bits < 8:
            self.two_bits |= bits == 2
            wide = self.add("Cast", [stored], f"{wish}_wide", to=self.onnx.TensorProto.INT32)
            moved = self.add("Mul", [wide, self.constant(np.int32(factor), "factor")])
            ready = self.add("Cast", [moved], f"{wish}_int8", to=self.onnx.TensorProto.INT8)
        steps = (steps / factor).astype(np.float32)
        inputs = [ready, self.constant(steps, f"{wish}_steps")]
        inputs.append(self.constant(np.zeros(len(steps), np.int8), "zeros"))
        return self.add("DequantizeLinear", inputs, f"{wish}_values", axis=0), steps

    def bias(self, bias: np.ndarray, steps: np.ndarray, wish: str) -> str:
        """A bias as whole numbers of the steps that the sums have."""
        codes = np.rint(bias / steps).clip(-(2**31), 2**31 - 1).astype(np.int32)
        inputs = [self.constant(codes, wish), self.constant(steps, f"{wish}_steps")]
        inputs.append(self.constant(np.zeros(len(steps), np.int32), "zeros"))
        return self.add("DequantizeLinear", inputs, f"{wish}_values", axis=0)

    def model(self, inputs: list[Any], outputs: list[Any], metadata: dict[str, str]) -> Any:
        """The checked model."""
        helper = self.onnx.helper
        graph = helper.make_graph(self.nodes, "bitlens", inputs, outputs, self.initializers)
        opset, ir = (OPSET_OF_TWO_BITS, IR_OF_TWO_BITS) if self.two_bits else (OPSET, IR)
        made = helper.make_model(
            graph,
            producer_name="bitlens",
            opset_imports=[helper.make_opsetid("", opset)],
            ir_version=ir,
        )
        helper.set_model_props(made, metadata)
        self.onnx.checker.check_model(made, full_check=True)
        return made


def _fits(codes: np.ndarray, bits: int) -> bool:
    half = 1 << (bits - 1)
    return bool(codes.min() >= -half and codes.max() < half)
