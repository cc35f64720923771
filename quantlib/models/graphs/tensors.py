"""Constants of a graph as tensors; their claims are held against the bytes that they have."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from quantlib.models.checkpoint import MOST_SIDES, shown
from quantlib.models.graphs.library import onnx_library
from quantlib.models.graphs.node import UnsupportedError

_FLOATS = ("FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16")
_INTEGERS = ("INT64", "INT32", "INT16", "INT8", "UINT8", "UINT32", "UINT16", "BOOL")
_TYPED = ("float_data", "int32_data", "int64_data", "double_data", "uint64_data")
VALUES = ("raw_data", *_TYPED)
"""Where the values of a constant may stand."""


def is_blank(tensor: Any) -> bool:
    """Whether a constant is only claimed: its values stand elsewhere."""
    return math.prod(tensor.dims) > 0 and not any(len(getattr(tensor, one)) for one in VALUES)


def tensor_of(tensor: Any, blank: bool = False) -> Tensor:
    """The values of a `TensorProto`: floats as `float32`, integers as `int64`, or bool.

    With `blank` those that stand elsewhere are zeros. A ValueError where there are fewer or more
    values than its shape claims.

    >>> from onnx.numpy_helper import from_array
    >>> tensor_of(from_array(np.float16([1, 2]), "a"))
    tensor([1., 2.])
    """
    onnx = onnx_library()
    kind = onnx.TensorProto.DataType.Name(tensor.data_type)
    if kind not in (*_FLOATS, *_INTEGERS):
        raise UnsupportedError(f"values of type {kind} in {shown(tensor.name)}")
    dims = tuple(tensor.dims)
    if len(dims) > MOST_SIDES or any(side < 0 for side in dims):
        raise ValueError(f"{tensor.name} has no shape")
    dtype = torch.float32 if kind in _FLOATS else torch.bool if kind == "BOOL" else torch.int64
    if is_blank(tensor):
        if not blank:
            raise ValueError(f"{tensor.name} has no values")
        return torch.zeros(dims, dtype=dtype)
    if math.prod(dims) == 0:
        return torch.zeros(dims, dtype=dtype)
    values = onnx.numpy_helper.to_array(tensor)
    if values.shape != dims:
        raise ValueError(f"{tensor.name} has other values than it claims")
    wanted = {torch.float32: np.float32, torch.bool: np.bool_, torch.int64: np.int64}[dtype]
    with np.errstate(over="ignore"):  # a double may be infinite as a float
        return torch.from_numpy(np.array(values, dtype=wanted, order="C"))
