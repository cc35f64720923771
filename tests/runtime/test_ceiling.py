"""The convolutions alone are all of the network's, each with what it meets there."""

import torch
from torch import nn

from quantlib.models.architectures.edsr import EDSR
from quantlib.runtime import ceiling
from quantlib.runtime.ceiling import bare_convolutions


def test_every_convolution_is_taken_as_it_comes(monkeypatch):
    taken = []

    class Noted(ceiling.IntegerProduct):
        def __call__(self, codes):
            made = super().__call__(codes)
            taken.append((tuple(codes.shape), tuple(made.shape), codes.dtype, made.dtype))
            return made

    monkeypatch.setattr(ceiling, "IntegerProduct", Noted)
    network = EDSR(2, features=8, blocks=2).eval()
    x = torch.rand(1, 3, 12, 10)
    met = []
    hooks = [
        layer.register_forward_hook(
            lambda _, given, made: met.append((tuple(given[0].shape), tuple(made.shape)))
        )
        for layer in network.modules()
        if isinstance(layer, nn.Conv2d)
    ]
    network(x)
    for hook in hooks:
        hook.remove()
    run = bare_convolutions(network, x)
    assert not any(layer._forward_hooks for layer in network.modules())
    run()
    assert [shapes[:2] for shapes in taken] == met and len(met) == 8
    assert {kinds[2:] for kinds in taken} == {(torch.uint8, torch.uint8)}
