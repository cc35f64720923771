"""NoisyQuant (Liu et al., CVPR 2023, arXiv 2211.16056) as layers see it."""

import torch
from torch import Tensor

from quantlib.qat.quantizer import Grid, LearnedQuantizer
from quantlib.quantizers.channels import along_channels
from quantlib.quantizers.noisyquant import NoisyQuantizer, fit_noisyquant
from quantlib.quantizers.packed import PackedTensor, packed_sizes
from quantlib.quantizers.sizes import ByteSizes
from quantlib.quantizers.uniform import UniformQuantizer

ROWS = 2000  # tokens that the search looks at


class NoisyInput(LearnedQuantizer):
    """Q(x + N) - N for tokens `(…, C)`: one step, fixed noise N `(C,)`, both searched.

    `search` looks for the least error of a linear layer's output; the first tensor alone, without
    weights, for the least error of the tokens themselves.

    >>> quantizer = NoisyInput(8, channels=2)
    >>> x = torch.tensor([[1.0, -0.5], [0.25, 0.75]])
    >>> bool((quantizer(x) - x).abs().max() < 0.01)
    True
    """

    method = "noisyquant"
    step: Tensor
    noise: Tensor

    def __init__(self, bits: int, channels: int) -> None:
        super().__init__(bits)
        self.register_buffer("step", torch.tensor(1.0))
        self.register_buffer("noise", torch.zeros(channels))

    def start_from(self, x: Tensor) -> None:
        self.search(x, torch.eye(x.shape[-1], dtype=x.dtype))

    @torch.no_grad()
    def search(self, x: Tensor, weight: Tensor) -> None:
        """Step and noise for the tokens `x` `(…, C)` that `weight` `(O, C)` multiplies."""
        rows = x.detach().float().reshape(-1, x.shape[-1])
        rows = rows[:: -(-len(rows) // ROWS)]
        found = fit_noisyquant(rows[..., None], weight.detach()[..., None], self.bits)
        self.step.copy_(found.scale)
        self.noise.copy_(found.noise)
        self.initialised = True

    def _for(self, x: Tensor) -> NoisyQuantizer:
        return NoisyQuantizer(self.step, self.noise, self.bitwidth, x.dim() - 1)

    def quantize(self, x: Tensor) -> Tensor:
        return self._for(x)(x.float()).to(x.dtype)

    def grid(self, x: Tensor) -> Grid:
        return Grid(self.bitwidth, self.step, -self.noise)

    @torch.no_grad()
    def to_int(self, x: Tensor) -> Tensor:
        self.initialise(x)
        return self._for(x).to_int(x.float())

    @torch.no_grad()
    def encode(self, x: Tensor) -> PackedTensor:
        self.initialise(x)
        return self._for(x).encode(x.float())

    @torch.no_grad()
    def sizes(self, x: Tensor) -> ByteSizes:
        self.initialise(x)
        return packed_sizes(tuple(x.shape), self.bitwidth, 1, self.noise.numel())


class RowMaxWeight(LearnedQuantizer):
    """Weights with a step per row (output channel), max|w| / (2^(b-1) - 1), taken anew every pass.

    >>> RowMaxWeight(2)(torch.tensor([[2.0, 0.4], [0.5, 0.1]])).tolist()
    [[2.0, 0.0], [0.5, 0.0]]
    """

    method = "noisyquant"

    def start_from(self, x: Tensor) -> None:
        """The steps follow from the weights of every pass; nothing has to be set."""

    def _for(self, x: Tensor) -> UniformQuantizer:
        largest = x.detach().flatten(1).abs().amax(1)
        return UniformQuantizer((largest / self.bitwidth.qmax).clamp_min(1e-8), self.bitwidth, 0)

    def quantize(self, x: Tensor) -> Tensor:
        return self._for(x)(x)

    def grid(self, x: Tensor) -> Grid:
        step = along_channels(self._for(x).scale, x, 0)
        return Grid(self.bitwidth, step, torch.zeros_like(step))

    @torch.no_grad()
    def encode(self, x: Tensor) -> PackedTensor:
        return self._for(x).encode(x)

    @torch.no_grad()
    def sizes(self, x: Tensor) -> ByteSizes:
        return packed_sizes(tuple(x.shape), self.bitwidth, len(x))
