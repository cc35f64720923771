"""Resize, as far as PyTorch's interpolation means the same."""

from typing import Any

from torch.nn import functional

from quantlib.models.graphs.node import Node, UnsupportedError
from quantlib.models.graphs.operators.operator import Function, Operator, has_values, whole

_EXACT = "nearest-exact"
_HALF = ("half_pixel", "pytorch_half_pixel")


def _mode(node: Node) -> dict[str, Any]:
    """PyTorch's name for how values lie between pixels; an UnsupportedError where it has none."""
    mode = node.require("mode", "nearest", "nearest", "linear", "cubic")
    corners = node.get("coordinate_transformation_mode", "half_pixel")
    if node.get("exclude_outside", 0) or node.get("antialias", 0):
        raise UnsupportedError("Resize with antialias or exclude_outside")
    if mode == "nearest":
        rounding = node.get("nearest_mode", "round_prefer_floor")
        if (corners, rounding) == ("asymmetric", "floor"):
            return {"mode": "nearest"}
        if corners in _HALF and rounding.startswith("round_prefer"):
            return {"mode": _EXACT}
        raise UnsupportedError(f"Resize to the nearest with {corners} and {rounding}")
    if mode == "cubic" and abs(node.get("cubic_coeff_a", -0.75) + 0.75) > 1e-6:
        raise UnsupportedError("Resize with another cubic than PyTorch's")
    if corners not in (*_HALF, "align_corners"):
        raise UnsupportedError(f"Resize ({mode}) with {corners}")
    named = {"linear": "bilinear", "cubic": "bicubic"}[mode]
    return {"mode": named, "align_corners": corners == "align_corners"}


def _require_whole(scales: Any) -> None:
    if not has_values(scales) or any(factor != round(factor) for factor in whole(scales)):
        raise UnsupportedError("Resize to the nearest by a factor that is not whole")


def _resize(node: Node) -> Function:
    how = _mode(node)
    axes = node.get("axes", ()) or (0, 1, 2, 3)
    if axes not in ((0, 1, 2, 3), (2, 3), (-2, -1)):
        raise UnsupportedError(f"Resize of the axes {axes}")

    down = node.get("nearest_mode", "round_prefer_floor") == "round_prefer_floor"

    def run(x: Any, roi: Any = None, scales: Any = None, sizes: Any = None) -> Any:
        if how["mode"] == _EXACT and down:  # the same but for ties, and whole factors have none
            _require_whole(scales)
        if has_values(sizes):
            return functional.interpolate(x, size=tuple(whole(sizes)[-2:]), **how)
        factors = whole(scales)
        if any(factor != 1 for factor in factors[:-2]):
            raise UnsupportedError("Resize of batches or channels")
        height, width = factors[-2:]
        scale = height if height == width else (height, width)
        return functional.interpolate(x, scale_factor=scale, **how)

    return run


RESIZING: dict[str, Operator] = {"Resize": Operator(_resize, settings=(1, 2, 3))}
