"""What the kernels alone allow: a network's convolutions on bytes, with nothing between them."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from quantlib.runtime.grids import CodeGrid
from quantlib.runtime.products import Geometry, IntegerProduct, IntegerWeight, Requantisation

_GRID = CodeGrid(1 / 64, 0, 255)


def bare_convolutions(network: nn.Module, x: Tensor) -> Callable[[], None]:
    """Every convolution of `network` in 8 bits, as it comes when `network` is given `x`.

    They take bytes and leave bytes; what a network does between them is left out, so that no
    integer form of it can be faster with the same kernels.

    >>> bare_convolutions(nn.Conv2d(3, 4, 3), torch.zeros(1, 3, 8, 8))()
    """
    calls: list[Callable[[], Tensor]] = []

    def note(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        assert isinstance(layer, nn.Conv2d)
        (a,) = inputs
        codes = torch.randint(0, 256, a.shape, dtype=torch.uint8)
        codes = codes.contiguous(memory_format=torch.channels_last)
        product = IntegerProduct(
            IntegerWeight.rounded(layer.weight.detach()),
            layer.bias,
            _GRID,
            Geometry.of(layer),
            Requantisation(_GRID, relu=False),
        )
        calls.append(lambda: product(codes))

    hooks = [
        layer.register_forward_hook(note)
        for layer in network.modules()
        if isinstance(layer, nn.Conv2d)
    ]
    try:
        with torch.inference_mode():
            network(x)
    finally:
        for hook in hooks:
            hook.remove()

    def run() -> None:
        for call in calls:
            call()

    return run
