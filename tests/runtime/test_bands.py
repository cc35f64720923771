"""Bands of rows give the whole picture, in less memory."""

import pytest
import torch

from quantlib.errors import QuantlibError
from quantlib.evaluation.held import BytesHeld
from quantlib.models import load
from quantlib.runtime.bands import InBands
from quantlib.runtime.integer import integer_network
from tests.runtime.test_lowering import photograph


@pytest.mark.parametrize("rows", [1, 16, 41, 200])
def test_bands_make_the_whole(rows):
    network, x = load("builtin:edsr-x2"), photograph(60)[..., :24]
    torch.testing.assert_close(InBands(network, network, rows)(x), network(x), atol=1e-5, rtol=0)


def test_bands_of_integers_are_those_of_the_whole():
    network = integer_network(load("builtin:quantsr-c-x2-w4a4"))
    x = photograph(96)
    assert torch.equal(InBands(network.network, network, 16)(x), network(x))


def test_windows_stay_where_they_are():
    network, x = load("builtin:quantsr-t-x2-fp32"), photograph(48)
    assert network.window > 1
    torch.testing.assert_close(InBands(network, network, 20)(x), network(x), atol=1e-4, rtol=0)


def test_what_is_held_does_not_grow_with_the_rows():
    network = load("builtin:edsr-x2")
    tall = torch.rand(1, 3, 600, 16)

    def peak(compute) -> int:
        with BytesHeld() as held, torch.inference_mode():
            compute(tall)
        return held.peak

    network(tall[..., :100, :])
    assert peak(InBands(network, network, 32)) < 0.25 * peak(network)


def test_bands_without_rows():
    network = load("builtin:edsr-x2")
    with pytest.raises(QuantlibError, match="give a halo of 0 or more and 1 or more"):
        InBands(network, network, 0)(torch.rand(1, 3, 8, 8))
