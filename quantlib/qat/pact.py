"""PACT, Parameterized Clipping Activation (Choi et al., arXiv 1805.06085)."""

import torch
from torch import Tensor, nn

from quantlib.qat.clipped import SMALLEST_RANGE, ClippedQuantizer

DECAY = 1e-4


class PACT(ClippedQuantizer):
    """Clips at a learned α > 0 and rounds to 2^b - 1 steps from 0 to α; for activations.

    Only values at or above α move it: ∂y/∂α is 1 there and 0 elsewhere. `penalty` is the L2 term
    `decay` · α²; the paper recommends the coefficient of the weights' L2 term (section 4.2), of
    which 1e-4 is the usual one. Signed inputs, which the paper's ReLU networks do not have, are
    clipped to [-α, α] in 2^(b-1) - 1 steps to each side. α starts at the largest |x| of the first
    tensor, so that training narrows the range, as it does from the paper's generous start.

    >>> quantizer = PACT(2, signed=False)
    >>> quantizer(torch.tensor([0.0, 0.4, 1.4, 3.0])).tolist()
    [0.0, 0.0, 1.0, 3.0]
    >>> quantizer.penalty()
    tensor(0.0009, grad_fn=<MulBackward0>)
    """

    method = "pact"

    def __init__(self, bits: int, signed: bool | None = None, decay: float = DECAY) -> None:
        super().__init__(bits, signed)
        self.decay = decay
        self.raw_clip = nn.Parameter(torch.tensor(1.0))

    @property
    def clip(self) -> Tensor:
        """α > 0."""
        return self.raw_clip.abs() + SMALLEST_RANGE

    def start_from(self, x: Tensor) -> None:
        self.raw_clip.copy_(x.float().abs().max().clamp_min(SMALLEST_RANGE))

    def bounds(self, x: Tensor) -> tuple[Tensor, Tensor]:
        clip = self.clip
        return -clip if self.signed else torch.zeros_like(clip), clip

    def penalty(self) -> Tensor:
        return self.clip.square() * self.decay
