import pytest
import torch

from quantlib.errors import QuantlibError
from quantlib.models.architectures.edsr import EDSR
from quantlib.qat.layers.placement import residual_schemes
from quantlib.qat.scheme import Scheme, quantize_layers

SCHEME = Scheme("pams", 2, 3)
FREE = Scheme("pams", 2, 0)
EIGHT = Scheme("rlq", 8, 8)


def test_both_convolutions_of_every_block():
    schemes = residual_schemes(EDSR(4, features=4, blocks=3), SCHEME)
    assert schemes == {f"body.{i}.body.{j}": SCHEME for i in range(3) for j in (0, 2)}


def test_the_first_convolution_may_see_its_input_as_it_is():
    schemes = residual_schemes(EDSR(2, 4, 2), SCHEME, first_input_quantized=False)
    assert schemes == {
        f"body.{i}.body.{j}": scheme for i in range(2) for j, scheme in ((0, FREE), (2, SCHEME))
    }


@pytest.mark.parametrize(("scale", "upsampler"), [(2, ["tail.0.0"]), (4, ["tail.0.0", "tail.0.2"])])
def test_ends_of_eight_bits(scale, upsampler):
    network = EDSR(scale, 4, 2)
    schemes = residual_schemes(network, SCHEME, ends="8bit")
    blocks = residual_schemes(network, SCHEME)
    ends = {name: scheme for name, scheme in schemes.items() if name not in blocks}
    assert ends == dict.fromkeys(["head.0", "body.2", *upsampler, "tail.1"], EIGHT)
    assert {name: schemes[name] for name in blocks} == blocks
    plain = network(torch.rand(1, 3, 6, 6, generator=torch.Generator().manual_seed(0)))
    quantize_layers(network, schemes)
    made = network(torch.rand(1, 3, 6, 6, generator=torch.Generator().manual_seed(0)))
    assert made.shape == plain.shape and not torch.equal(made, plain)


def test_ends_that_are_not_there():
    with pytest.raises(QuantlibError, match="'16bit'"):
        residual_schemes(EDSR(2, 4, 1), SCHEME, ends="16bit")
