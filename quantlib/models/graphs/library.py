"""The package onnx, imported when a graph is read or written."""

from typing import Any

from quantlib.errors import QuantlibError


def onnx_library() -> Any:
    """The package onnx; a QuantlibError where it is not installed."""
    try:
        import onnx
    except ImportError as error:
        raise QuantlibError(
            "ONNX files need the package onnx; install it with `pip install onnx`."
        ) from error
    return onnx
