"""Per-channel statistics and broadcasting."""

import torch
from torch import Tensor

from quantlib.errors import QuantlibError


def channel_axis(x: Tensor, channel_dim: int) -> int:
    """`channel_dim` as a non-negative axis of `x`."""
    if not -x.dim() <= channel_dim < x.dim():
        raise QuantlibError(
            f"channel_dim {channel_dim} does not exist in a tensor of shape {tuple(x.shape)}."
        )
    return channel_dim % x.dim()


def along_channels(values: Tensor, x: Tensor, channel_dim: int | None) -> Tensor:
    """`values` of shape `(C,)` shaped to broadcast over `x`; scalars pass as they are."""
    if channel_dim is None or values.dim() == 0:
        return values
    shape = [1] * x.dim()
    shape[channel_axis(x, channel_dim)] = -1
    return values.view(shape)


def by_channel(x: Tensor, channel_dim: int | None) -> Tensor:
    """`x` as `(C, elements per channel)`, or `(1, elements)` per tensor."""
    if channel_dim is None:
        return x.reshape(1, -1)
    channels = x.shape[channel_axis(x, channel_dim)]
    return x.movedim(channel_dim, 0).reshape(channels, x.numel() // max(channels, 1))


def in_memory_order(x: Tensor) -> Tensor:
    """All elements of `x` in one dimension, in the order that needs no copy where there is one."""
    order = sorted(range(x.dim()), key=x.stride, reverse=True)
    return x.permute(order).reshape(-1)


def largest_magnitude(x: Tensor, channel_dim: int | None) -> Tensor:
    """max|x| per tensor (a scalar) or per channel `(C,)`.

    Raises QuantlibError when a value is NaN or infinite.
    """
    if channel_dim is None:
        reduced = x.abs().amax() if x.numel() else x.new_zeros(())
    else:
        axis = channel_axis(x, channel_dim)
        others = [d for d in range(x.dim()) if d != axis]
        if not x.numel():
            reduced = x.new_zeros(x.shape[axis])
        elif others:
            low, high = x.amin(others), x.amax(others)
            reduced = torch.maximum(-low, high)
        else:
            reduced = x.abs()
    require_finite(reduced)
    return reduced


def require_finite(values: Tensor) -> None:
    """Raises QuantlibError when a value is NaN or infinite."""
    if not torch.isfinite(values).all():
        raise QuantlibError(
            "An activation is NaN or infinite and cannot be quantized; "
            "check the picture and the network's weights."
        )


def step_size(magnitude: Tensor, divisor: Tensor | int) -> Tensor:
    """magnitude / divisor, with 1 in place of a step of zero (a silent channel)."""
    step = magnitude.float() / divisor
    return torch.where(step > 0, step, torch.ones_like(step))
