"""Swin blocks whose linear layers are integers: attention and norms in a pass over each window row.

Linear layers see single tokens, so that only the attention between them knows of windows: nothing
is rolled, cut into windows and put together again.
"""

from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from quantlib.runtime.branches import bands
from quantlib.runtime.layers import IntegerLayer, Prepared, Quantize
from quantlib.runtime.side_by_side import side_by_side

APART = -100.0  # between tokens that lie beside each other only because the picture was rolled


class WindowBlock(Prepared):
    """A Swin block of tokens `(N, H·W, C)` that computes what `block` does, in fewer passes."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block: Any = block

    def prepare(self, kernels: bool) -> None:
        super().prepare(kernels)
        self._biases = biases(self.block).numpy()

    def forward(self, x: Tensor, x_size: tuple[int, int]) -> Tensor:
        if not self.kernels:
            return self.block(x, x_size)
        made = torch.empty_like(x)
        for tokens, results in zip(x, made, strict=True):
            self._run(tokens.view(*x_size, -1), results.view(*x_size, -1))
        return made

    def _run(self, x: Tensor, made: Tensor) -> None:
        """One picture `(H, W, C)`, whose result goes into `made`."""
        block, attention = self.block, self.block.attn
        height, width, channels = x.shape
        quantize, product = attention.qkv
        qkv = torch.empty(height, width, 3 * channels)

        @torch.inference_mode()
        def project(band: tuple[int, int, int]) -> None:
            _, start, end = band
            codes = _normalised(x[start:end].flatten(0, 1), block.norm1, quantize)
            qkv[start:end] = product(codes).view(end - start, width, -1)

        @torch.inference_mode()
        def attend(row: int) -> None:
            values = torch.empty(block.window_size, width, channels)
            shape = row, block.window_size, block.shift_size, np.float32(attention.scale)
            _compiled().attend(qkv.numpy(), *shape, self._biases, values.numpy())
            added = attention.proj(values.flatten(0, 1)).view_as(values)
            start = row * block.window_size + block.shift_size
            edges = start, min(start + block.window_size, height), start + block.window_size
            for first, last in pairwise(edges):  # the second part is around the lower edge
                rows = slice(first % height, first % height + last - first)
                self._feed(x[rows] + added[first - start : last - start], made[rows])

        side_by_side(project, bands(1, height, width, torch.get_num_threads()))
        side_by_side(attend, range(height // block.window_size))

    def _feed(self, x: Tensor, made: Tensor) -> None:
        """The two layers of every token of `x` `(rows, W, C)`, and `x` itself, into `made`."""
        mlp, x = self.block.mlp, x.flatten(0, 1)
        if len(x):
            quantize, product = mlp.fc1
            hidden = product(_normalised(x, self.block.norm2, quantize))
            torch.add(x, mlp.fc2(mlp.act(hidden)), out=made.view_as(x))


def _normalised(x: Tensor, norm: nn.LayerNorm, quantize: Quantize) -> Tensor:
    """The codes of the layer norm of tokens `(T, C)`."""
    codes = torch.empty(x.shape, dtype=torch.uint8)
    shift, *numbers = quantize.grid.constants
    affine = norm.weight.numpy(), norm.bias.numpy(), np.float32(norm.eps)
    _compiled().normalise(x.numpy(), *affine, np.resize(shift, x.shape[1]), *numbers, codes.numpy())
    return codes


def biases(block: Any) -> Tensor:
    """What is added to the scores, `(4, heads, key, query)`.

    For windows inside, in the last column, in the last row, and in both: where the picture was
    rolled, those hold tokens that lie apart in it.
    """
    attention, window, shift = block.attn, block.window_size, block.shift_size
    learned = attention.relative_position_bias_table[attention.relative_position_index]
    beyond = (torch.arange(window) >= window - shift) if shift else torch.zeros(window).bool()
    rows, columns = beyond.repeat_interleave(window), beyond.repeat(window)
    here, apart = torch.zeros_like(rows), []
    for parts in ((here, here), (here, columns), (rows, here), (rows, columns)):
        region = 2 * parts[0].int() + parts[1].int()
        apart.append(APART * (region[:, None] != region[None]))
    return (learned.permute(2, 1, 0) + torch.stack(apart)[:, None]).contiguous()


def join_windows(network: nn.Module) -> None:
    """Puts a `WindowBlock` in the place of every Swin block whose layers are all integers."""
    for name, module in list(network.named_modules()):
        if _is_swin_block(module) and all(map(_is_integer, _layers(module))):
            network.set_submodule(name, WindowBlock(module))


def _layers(block: Any) -> list[nn.Module]:
    return [block.attn.qkv, block.attn.proj, block.mlp.fc1, block.mlp.fc2]


def _is_integer(layer: nn.Module) -> bool:
    kinds = [type(part) for part in layer] if isinstance(layer, nn.Sequential) else []
    return kinds == [Quantize, IntegerLayer]


def _is_swin_block(module: nn.Module) -> bool:
    from spandrel.architectures.SwinIR.__arch.SwinIR import SwinTransformerBlock

    return isinstance(module, SwinTransformerBlock)


@cache
def _compiled() -> Any:
    from quantlib.runtime import compiled_windows

    return compiled_windows
