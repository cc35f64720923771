"""A tiny depth-dynamic RLQ network as a file, for tests that need one."""

from pathlib import Path

import torch
from safetensors.torch import save_file

from quantlib.models.architectures.edsr import EDSR
from quantlib.qat.layers.packing import packed_state
from quantlib.qat.layers.placement import residual_schemes
from quantlib.qat.scheme import Scheme, quantize_layers

BLOCKS = 4
ORDER = [2, 0, 3, 1]


def write_deep_network(file: Path, bits: int = 3, features: int = 4) -> Path:
    """×2, `BLOCKS` blocks in the order `ORDER`, shifts and steps that differ everywhere."""
    torch.manual_seed(5)
    network = EDSR(2, features, BLOCKS, learnable_shortcuts=True)
    quantize_layers(network, residual_schemes(network, Scheme("rlq", bits, bits)))
    network(torch.rand(1, 3, 16, 16))
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith(("shift", "shortcut")):
                parameter.add_(0.1 * torch.randn_like(parameter))
        network.block_order.copy_(torch.tensor(ORDER))
    tensors, metadata = packed_state(network)
    save_file(tensors, file, metadata)
    return file
