"""Whether a network does to pictures what it is meant to: a look at one small sample."""

import math

import torch
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.imaging.resizing import downscale
from quantlib.imaging.samples import load_sample
from quantlib.imaging.tensors import to_tensor
from quantlib.qat.fused import uncompiled

SAMPLE, SIDE, BORDER = "cat", 32, 4
LARGEST_SCALE = 16
FAITHFUL, ALIKE = 40.0, 20.0
"""Decibels. Networks that were trained to enlarge reach 55 to 67 on the sample (bicubic 60), EDSR
in a wrong range of values 25 to 34, one for BGR 16, random weights 3 to 13."""


@torch.no_grad()
@uncompiled()
def likeness(network: nn.Module, scale: int) -> float:
    """PSNR in dB between a sample and its enlargement by `network`, reduced again by bicubic.

    It tells whether a network takes and gives RGB from 0 to 1, whatever detail it adds. Minus
    infinity where the enlargement is not finite.

    >>> likeness(nn.Upsample(scale_factor=2, mode="bicubic"), 2) > FAITHFUL
    True
    """
    x = to_tensor(load_sample(SAMPLE, SIDE).rgb)
    y: Tensor = network(x.clone()).float()
    if not y.isfinite().all():
        return -math.inf
    inner = (..., slice(BORDER, -BORDER), slice(BORDER, -BORDER))
    error = downscale(y.clamp(0, 1), scale)[inner] - x[inner]
    return float(-10 * torch.log10(error.square().mean() + 1e-12))


def check(network: nn.Module, scale: int, file: str) -> tuple[str, ...]:
    """A sentence where the enlargement of a sample is far from it, in notes.

    A QuantlibError where it is not finite.
    """
    if scale > LARGEST_SCALE:
        raise QuantlibError(f"{file} enlarges {scale} times; choose a network for ×16 or less.")
    decibels = likeness(network, scale)
    if decibels == -math.inf:
        raise QuantlibError(
            f"The enlargement of a sample by {file} is not finite; choose another checkpoint."
        )
    if decibels >= FAITHFUL:
        return ()
    far = f"An enlarged sample, reduced again, is {decibels:.1f} dB from the sample"
    if decibels < ALIKE:
        return (
            f"{far}, which is no likeness: the weights of {file} are untrained, or meant for other "
            "values than RGB from 0 to 1.",
        )
    return (
        f"{far}, where faithful enlargement reaches {FAITHFUL:.0f}: {file} restores or repaints, "
        "or its weights are meant for another range of values.",
    )


@torch.no_grad()
def require_finite(network: nn.Module, side: int, file: str) -> None:
    """Refuses a network whose logits of a sample of `side` pixels are not finite.

    Finite weights can have them: a variance below zero, or products that are too large.

    >>> require_finite(nn.Conv2d(3, 2, 1), 32, "net.pth")
    """
    x = to_tensor(load_sample(SAMPLE, side).rgb)
    if not network(x).isfinite().all():
        raise QuantlibError(
            f"What {file} says of a sample is not finite; choose another checkpoint."
        )
