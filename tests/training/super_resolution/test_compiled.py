"""Compiled passes give what the network itself gives, whatever quantizes it."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from quantlib.qat.depth import DepthDynamic
from quantlib.qat.fused import uncompiled
from quantlib.qat.scheme import LEARNED
from quantlib.training.super_resolution.compiled import WORTH_COMPILING, passes
from quantlib.training.super_resolution.objective import start_quantizers
from quantlib.training.super_resolution.recipe import Recipe
from quantlib.training.super_resolution.run import fresh_network

LOW = torch.rand(2, 3, 24, 24, generator=torch.Generator().manual_seed(3))
LOW = LOW.contiguous(memory_format=torch.channels_last)
HIGH = torch.rand(2, 3, 48, 48, generator=torch.Generator().manual_seed(4))


def gradients(network: DepthDynamic, steps: int) -> tuple[Tensor, dict[str, Tensor]]:
    network.zero_grad()
    output = passes(network, steps)(LOW)
    mse_loss(output, HIGH).backward()
    found = {n: p.grad.clone() for n, p in network.named_parameters() if p.grad is not None}
    return output.detach(), found


@pytest.mark.parametrize("method", LEARNED)
def test_a_compiled_network_gives_the_same_output_and_gradients(method: str, monkeypatch):
    calls, real = [], torch.compile

    def whole(function, **settings):
        calls.append(function)
        return real(function, fullgraph=True, **settings)

    monkeypatch.setattr(torch, "compile", whole)
    network = fresh_network(Recipe("tiny", 2, features=8, blocks=1, method=method)).train()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    with uncompiled():
        start_quantizers(network, LOW)
        plain, expected = gradients(network, WORTH_COMPILING - 1)
    assert not calls
    fast, found = gradients(network, WORTH_COMPILING)
    assert len(calls) == 1  # block and last convolution fit into one stage
    torch.testing.assert_close(fast, plain, rtol=0, atol=2e-5)
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        scale = gradient.abs().max() + 1e-9
        torch.testing.assert_close(found[name] / scale, gradient / scale, rtol=0, atol=1e-2)


def test_a_compiler_that_fails_costs_only_time(monkeypatch):
    def no_compiler(function, **settings):
        raise RuntimeError("no compiler")

    network = fresh_network(Recipe("tiny", 2, features=8, blocks=2))
    with torch.no_grad():
        expected = network(LOW)
        monkeypatch.setattr(torch, "compile", no_compiler)
        assert torch.equal(passes(network, WORTH_COMPILING)(LOW), expected)
