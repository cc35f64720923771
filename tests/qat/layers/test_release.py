import torch

from quantlib.models import load
from quantlib.qat.layers.release import with_free_inputs
from quantlib.qat.rlq import RLQ
from quantlib.qat.scheme import quantized_layers
from tests.deep_network import write_deep_network


def test_rounding_is_all_that_is_left_out(tmp_path):
    """Rounding to the layer's own levels put back gives the network itself."""
    network = load(str(write_deep_network(tmp_path / "deep.safetensors"))).network
    before = {name: layer.activation for name, layer in quantized_layers(network).items()}
    x = torch.rand(1, 3, 9, 11)
    with torch.no_grad():
        wanted = network(x)
        free = with_free_inputs(network)
        assert not torch.equal(free(x), wanted)
        assert torch.equal(network(x), wanted)
        for name, quantizer in before.items():

            def rounded(layer, inputs, quantizer=quantizer):
                assert isinstance(quantizer, RLQ)
                step = quantizer.step
                return (torch.round(inputs[0] / step) * step,)

            free.get_submodule(f"{name}.layer").register_forward_pre_hook(rounded)
        torch.testing.assert_close(free(x), wanted)
    assert all(layer.activation is None for layer in quantized_layers(free).values())
