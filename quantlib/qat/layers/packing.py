"""Quantized networks as files: packed integers for the weights of every quantized layer."""

import json
from collections.abc import Mapping
from dataclasses import asdict

import numpy as np
import torch
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.qat.layers.products import FACTORS
from quantlib.qat.scheme import (
    Scheme,
    quantize_layers,
    quantized_layers,
    quantized_products,
)
from quantlib.quantizers.packed import PackedTensor

KEY = "bitlens.schemes"
SCALES = ("input_scale", "output_scale")
_PACKED = ".packed"


def packed_state(network: nn.Module) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a safetensors file that holds `network`.

    The weights of a quantized layer are one `uint8` tensor, the bytes of a PackedTensor, under the
    layer's name with `.weight.packed`; everything else stands as in the state dict. The metadata
    name the scheme of every quantized layer.
    """
    layers = quantized_layers(network)
    state = {name: tensor.detach().cpu() for name, tensor in network.state_dict().items()}
    for name, layer in layers.items():
        packed = np.frombuffer(layer.encode_weight().to_bytes(), np.uint8)
        del state[f"{name}.weight"]
        for own in [key for key in state if key.startswith(f"{name}.weight_quantizer.")]:
            del state[own]
        state[f"{name}.weight{_PACKED}"] = torch.from_numpy(packed.copy())
    named = layers | quantized_products(network)
    schemes = {name: asdict(layer.scheme) for name, layer in named.items()}
    tensors = {name: tensor.contiguous().clone() for name, tensor in state.items()}
    return tensors, {KEY: json.dumps(schemes)} if named else {}


def float_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state dict of the network without quantizers, as its architecture knows it."""
    packed = [name.removesuffix(f"weight{_PACKED}") for name in state if name.endswith(_PACKED)]
    learned = ("activation.", *SCALES)
    quantizers = tuple(f"{layer}{own}" for layer in packed for own in learned)
    plain: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if name.endswith(_PACKED):
            plain[name.removesuffix(_PACKED)] = _unpack(tensor).decode()
        elif not name.startswith(quantizers) and f".{FACTORS}." not in name:
            plain[name] = tensor
    return plain


def restore(network: nn.Module, state: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Puts the quantized layers of a file into `network`, which has its float weights."""
    try:
        schemes = {name: Scheme(**one) for name, one in json.loads(metadata[KEY]).items()}
        quantize_layers(network, schemes)
        for name, layer in quantized_layers(network).items():
            layer.store_weight(_unpack(state[f"{name}.weight{_PACKED}"]))
            for scale in SCALES if layer.scheme.scale_channels else ():
                layer.get_parameter(scale).data.copy_(state[f"{name}.{scale}"])
            if layer.activation is not None:
                layer.activation.load_state_dict(_below(f"{name}.activation.", state))
        for name, attention in quantized_products(network).items():
            attention.factors.load_state_dict(_below(f"{name}.{FACTORS}.", state))
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise QuantlibError(
            "The quantized layers of this checkpoint do not fit together; export it again."
        ) from error


def _below(start: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(start): v for k, v in state.items() if k.startswith(start)}


def _unpack(tensor: Tensor) -> PackedTensor:
    if tensor.dtype != torch.uint8:
        raise QuantlibError("The packed weights of this checkpoint are no bytes; export it again.")
    return PackedTensor.from_bytes(tensor.numpy().tobytes())
