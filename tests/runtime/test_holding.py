"""Activations held as bytes: the same output, and fewer bytes on the way."""

import pytest
import torch

from quantlib.errors import QuantlibError
from quantlib.models import load
from quantlib.ptq import QuantizedNetwork, Settings, SiteNetwork, quantize
from quantlib.runtime.holding import CompressedActivations
from tests.runtime.test_lowering import photograph


def quantized(settings: Settings, name: str = "builtin:edsr-x2") -> QuantizedNetwork:
    sites = SiteNetwork(load(name), photograph(24), inside="network")
    masks = {s.name: torch.arange(s.channels) % 3 == 0 for s in sites.sites}
    return quantize(sites, settings, masks if settings.entry.ranks else None)


CHOICES = [
    Settings("fp32"),
    Settings("direct", bits=4),
    Settings("direct", bits=3, unsigned=True),
    Settings("pot", bits=4),
    Settings("dqa", bits=3),
    Settings("dqa-ans", bits=3),
]


@pytest.mark.parametrize("settings", CHOICES, ids=lambda s: s.summary)
def test_the_output_is_that_of_the_network(settings):
    network, x = quantized(settings), photograph(40)
    assert torch.equal(CompressedActivations(network)(x), network(x))


def test_bytes_that_move():
    """Against a count by hand, from the graph that EDSR's code describes."""
    x = photograph(40)
    plain = CompressedActivations(quantized(Settings("fp32")))
    plain(x)
    pixels, features, blocks = 40 * 40, 32, 16
    inside = 4 * features * pixels
    in_block = 2 + 2 + 2 + 2  # conv, ReLU, conv and sum, each written once and read once
    first_of_block = blocks  # the sum is read by the next block's sum too
    ends = 4 * 3 * pixels * 2 + 4 * 3 * 4 * pixels * 2
    upsampler = 4 * inside * 2 * 2  # convolution and shuffle, each written and read
    body = inside * (in_block * blocks + first_of_block)
    rest = inside * (2 + 1 + 2 + 2)  # head, read twice; last convolution; the long sum
    assert plain.moved == pytest.approx(body + upsampler + rest + ends, rel=0.02)


@pytest.mark.parametrize("settings", CHOICES[1:], ids=lambda s: s.summary)
def test_codes_move_less(settings):
    x = photograph(40)
    plain, exact = CompressedActivations(quantized(Settings("fp32"))), quantized(settings)
    some, more = CompressedActivations(exact), CompressedActivations(exact, residuals=True)
    plain(x)
    same, changed = some(x), more(x)
    assert more.moved < some.moved < plain.moved
    assert 0 < (same - changed).abs().max() < 0.5


def test_networks_whose_graph_is_not_known():
    sites = quantized(Settings("direct", bits=4), "builtin:quantsr-t-x2-fp32")
    with pytest.raises(QuantlibError, match="depends on the size of its input"):
        CompressedActivations(sites)


def test_learned_quantizers_are_sent_to_the_integers():
    network = quantized(Settings("rlq", bits=4), "builtin:quantsr-c-x2-w4a4")
    with pytest.raises(QuantlibError, match="choose the runtime integer"):
        CompressedActivations(network)
