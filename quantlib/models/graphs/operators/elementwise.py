"""Operators that work on every value by itself."""

import operator
from functools import reduce
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from quantlib.models.graphs.node import Node, UnsupportedError
from quantlib.models.graphs.operators.operator import Function, Operator

_PLAIN: dict[str, Function] = {
    "Abs": torch.abs,
    "Ceil": torch.ceil,
    "Cos": torch.cos,
    "Dropout": lambda x, *_: x,
    "Erf": torch.erf,
    "Exp": torch.exp,
    "Floor": torch.floor,
    "HardSwish": functional.hardswish,
    "Identity": lambda x: x,
    "Log": torch.log,
    "Mish": functional.mish,
    "Neg": torch.neg,
    "Not": torch.logical_not,
    "Reciprocal": torch.reciprocal,
    "Relu": torch.relu,
    "Round": torch.round,
    "Sigmoid": torch.sigmoid,
    "Sign": torch.sign,
    "Sin": torch.sin,
    "Softplus": functional.softplus,
    "Softsign": functional.softsign,
    "Sqrt": torch.sqrt,
    "Tanh": torch.tanh,
    "Add": operator.add,
    "Mul": operator.mul,
    "Pow": operator.pow,
    "Sub": operator.sub,
    "And": operator.and_,
    "Or": operator.or_,
    "Equal": operator.eq,
    "Greater": operator.gt,
    "GreaterOrEqual": operator.ge,
    "Less": operator.lt,
    "LessOrEqual": operator.le,
    "Where": torch.where,
}


def _divided(x: Any, y: Any) -> Any:
    parts = [one for one in (x, y) if isinstance(one, Tensor)]
    if parts and not any(one.is_floating_point() for one in parts) and not isinstance(y, float):
        return torch.div(x, y, rounding_mode="trunc")
    return x / y


def _together(pair: Function) -> Function:
    """A function of two for as many as there are."""

    def run(*values: Any) -> Any:
        like = next(one for one in values if not isinstance(one, float | int))
        tensors = [like.new_tensor(v) if isinstance(v, float | int) else v for v in values]
        return reduce(pair, tensors)

    return run


def _mean(*values: Any) -> Any:
    return _together(operator.add)(*values) / len(values)


def _leaky(node: Node) -> Function:
    slope = node.get("alpha", 0.01)
    return lambda x: functional.leaky_relu(x, slope)


def _elu(node: Node) -> Function:
    alpha = node.get("alpha", 1.0)
    return lambda x: functional.elu(x, alpha)


def _celu(node: Node) -> Function:
    alpha = node.get("alpha", 1.0)
    return lambda x: functional.celu(x, alpha)


def _hard_sigmoid(node: Node) -> Function:
    alpha, beta = node.get("alpha", 0.2), node.get("beta", 0.5)
    return lambda x: torch.clamp(x * alpha + beta, 0.0, 1.0)


def _gelu(node: Node) -> Function:
    how = node.require("approximate", "none", "none", "tanh")
    return lambda x: functional.gelu(x, approximate=how)


def _swish(node: Node) -> Function:
    alpha = node.get("alpha", 1.0)
    return lambda x: x * torch.sigmoid(x * alpha)


def _clip(node: Node) -> Function:
    def run(x: Any, low: Any = None, high: Any = None) -> Any:
        ends = [None if one is None or not one.size else one.item() for one in (low, high)]
        return x if ends == [None, None] else torch.clamp(x, *ends)

    return run


def _mod(node: Node) -> Function:
    return torch.fmod if node.get("fmod", 0) else torch.remainder


def _cast(node: Node) -> Function:
    from quantlib.models.graphs.library import onnx_library

    name = onnx_library().TensorProto.DataType.Name(node.get("to", 1))
    if name in ("FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16"):
        return lambda x: x.float()
    if name == "BOOL":
        return lambda x: x.bool()
    if name in ("INT64", "INT32"):
        return lambda x: x.long()
    raise UnsupportedError(f"Cast to {name}")


def _prelu(x: Any, slope: Any) -> Any:
    return torch.relu(x) + slope * torch.clamp(x, max=0.0)


ELEMENTWISE: dict[str, Operator] = {
    **{kind: Operator(lambda node, run=run: run) for kind, run in _PLAIN.items()},
    "Cast": Operator(_cast),
    "Celu": Operator(_celu),
    "Clip": Operator(_clip, settings=(1, 2)),
    "Div": Operator(lambda node: _divided),
    "Elu": Operator(_elu),
    "Gelu": Operator(_gelu),
    "HardSigmoid": Operator(_hard_sigmoid),
    "LeakyRelu": Operator(_leaky),
    "Max": Operator(lambda node: _together(torch.maximum)),
    "Mean": Operator(lambda node: _mean),
    "Min": Operator(lambda node: _together(torch.minimum)),
    "Mod": Operator(_mod),
    "PRelu": Operator(lambda node: _prelu),
    "Sum": Operator(lambda node: _together(operator.add)),
    "Swish": Operator(_swish),
}
