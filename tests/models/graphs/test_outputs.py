"""Networks of PyTorch, exported as ONNX and read again, give what PyTorch and ONNX Runtime give."""

from functools import cache
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from quantlib.models.loading import read_network
from quantlib.models.saving import packed_file
from quantlib.models.sr_network import SRNetwork
from quantlib.ptq import Settings
from quantlib.qat.adapting.adapt import adapt
from quantlib.qat.fused import uncompiled
from quantlib.runtime.choice import Runtime
from quantlib.runtime.running import at_runtime
from quantlib.runtime.tracing import traced
from quantlib.tasks.super_resolution import adaptation_pictures, default_pairs, prepare, sites_of
from tests.models.graphs.small_networks import BLOCKS, onnx_file, small

SIZES = (33, 40), (24, 61)


@cache
def exported(kind: str) -> bytes:
    return onnx_file(small(kind))


@cache
def read(kind: str) -> SRNetwork:
    return read_network(exported(kind), f"{kind}.onnx")


def in_onnx_runtime(content: bytes, x: torch.Tensor) -> Any:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x.numpy()})[0]


@pytest.mark.parametrize("kind", BLOCKS)
def test_the_same_as_in_pytorch_and_in_onnx_runtime(kind):
    original, network = small(kind), read(kind)
    for height, width in SIZES:
        x = torch.rand(2, 3, height, width)
        made = network(x)
        torch.testing.assert_close(made, original(x), rtol=0, atol=1e-5)
        np.testing.assert_allclose(made, in_onnx_runtime(exported(kind), x), rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", BLOCKS)
def test_layers_have_the_names_that_they_had(kind):
    original, network = small(kind), read(kind)
    kinds = torch.nn.Conv2d, torch.nn.Linear
    layers = {name for name, layer in original.named_modules() if isinstance(layer, kinds)}
    sites = sites_of(network)
    found = {name for site in sites.sites for name in site.layers}
    assert found == layers - {"head", "upsampler.0"}
    assert (network.architecture, network.scale) == ("ONNX", 2)
    assert network.parameter_count == sum(p.numel() for p in original.parameters())


@pytest.mark.parametrize("kind", ["RFDN", "BSRN", "Restormer"])
@pytest.mark.parametrize(
    "settings",
    [
        Settings("direct", bits=8),
        Settings("dqa", bits=6, extra_bits=2),
        Settings("entropy", bits_per_activation=6.0),
    ],
    ids=lambda settings: settings.method,
)
def test_quantized_as_every_other(kind, settings):
    network = read(kind)
    quantized = prepare(sites_of(network), settings, default_pairs(network)[:1])
    x = torch.rand(1, 3, 32, 32)
    made, sizes = quantized.measure(x)
    full = network(x)
    assert 0 < (made - full).abs().mean() < 0.05 * full.std()
    spent, whole = (sum(getattr(one, part) for one in sizes.values()) for part in ("total", "fp32"))
    assert 0 < spent < whole / 2


@pytest.mark.parametrize("kind", ["RLFN", "large kernel"])
def test_adapted_and_saved_with_its_graph(kind):
    network = read(kind)
    with uncompiled():
        adapted = adapt(network, adaptation_pictures(2)[:2], steps=2, side=24).network
    assert isinstance(adapted, SRNetwork)
    content = packed_file(adapted)
    assert len(content) < 1.2 * len(exported(kind)), "the graph is there without its weights"
    again = read_network(content, "adapted.safetensors")
    assert again.is_quantized and (again.architecture, again.scale) == ("ONNX", 2)
    x = torch.rand(1, 3, 24, 40)
    torch.testing.assert_close(again(x), adapted(x), rtol=0, atol=1e-5)
    assert not torch.allclose(again(x), network(x), atol=1e-5)


@pytest.mark.parametrize("kind", ["RLFN", "IMDN", "large kernel"])
def test_real_integers(kind):
    network = read(kind)
    assert traced(network.network) is not None
    x = torch.rand(1, 3, 32, 32)
    sites = sites_of(network)
    direct = prepare(sites, Settings("direct", bits=8), default_pairs(network)[:1])
    integers = at_runtime(direct, Runtime("integer"), [x])
    torch.testing.assert_close(integers(x), network(x), rtol=0, atol=0.02)


def test_a_file_of_one_size_runs_at_others_where_nothing_holds_it_to_its_own():
    content = onnx_file(small("PAN"), fixed=True)
    network = read_network(content, "net.onnx")
    x = torch.rand(2, 3, 20, 31)
    torch.testing.assert_close(network(x), small("PAN")(x), rtol=0, atol=1e-5)
