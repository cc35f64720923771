"""PAMS, Parameterized Max Scale (Li et al., ECCV 2020; code: github.com/colorjam/PAMS)."""

import torch
from torch import Tensor, nn

from quantlib.qat.clipped import SMALLEST_RANGE, ClippedQuantizer


class PAMS(ClippedQuantizer):
    """Clips activations to [-α, α] with a learned α > 0, in 2^(b-1) - 1 steps to each side.

    Every value moves α: those beyond the range by their clipping, the others by their rounding
    error. Always signed, so half of the codes lie idle behind a ReLU. α starts at the mean over the
    images (first axis) of the largest |x|, from the first tensor; the released code goes on with
    that for one epoch, in which its activations are not clipped.

    >>> quantizer = PAMS(3)
    >>> quantizer(torch.tensor([[-0.9, 0.2, 3.0]])).tolist()
    [[-1.0, 0.0, 3.0]]
    """

    method = "pams"
    learns_from_error = True

    def __init__(self, bits: int) -> None:
        super().__init__(bits)
        self.raw_clip = nn.Parameter(torch.tensor(1.0))

    @property
    def clip(self) -> Tensor:
        """α > 0."""
        return self.raw_clip.abs() + SMALLEST_RANGE

    def start_from(self, x: Tensor) -> None:
        largest = x.float().abs().reshape(len(x), -1).amax(1)
        self.raw_clip.copy_(largest.mean().clamp_min(SMALLEST_RANGE))

    def bounds(self, x: Tensor) -> tuple[Tensor, Tensor]:
        clip = self.clip
        return -clip, clip


class PAMSWeight(ClippedQuantizer):
    """Weights in 2^(b-1) - 1 steps to each side of zero up to max|w|, taken anew in every pass.

    >>> PAMSWeight(2)(torch.tensor([-2.0, 0.9, 1.1]))
    tensor([-2.,  0.,  2.])
    """

    method = "pams"

    def bounds(self, x: Tensor) -> tuple[Tensor, Tensor]:
        largest = x.detach().abs().max() + SMALLEST_RANGE
        return -largest, largest
